import type { Contributions, DropReason, Frozen, ModuleContext, Objects, Poll, SoftnetModule, Tally } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { Cable } from './cable.ts';
import type { PortHost } from './device.ts';
import { checkAddress, Port } from './device.ts';
import { Link, LinkDoor, LinkInput } from './service.ts';
import { EVERYBODY, emitFrame, LINK_MTU, parseFrame } from './wire.ts';

/**
 * Moves frames between kernels over cables. Ports serve others until the end ('keep'). Frames that fly towards a port are
 * a tally: the link goes when the last one has been delivered, so that a graceful end loses nothing. They belong to the
 * cable, so a hand-over loses none either.
 */
@Module({
  name: 'test-link',
  version: '1.0.0',
  summary: 'moves frames over cables between kernels, for tests',
  provides: [Link, LinkDoor],
  registry: true,
})
export class TestLink implements SoftnetModule {
  #ctx!: ModuleContext;
  #ports!: Objects<Port>;
  #frames!: Tally;
  #poll!: Poll;
  #input!: Contributions<LinkInput>;
  #garbage!: DropReason;
  #noHost!: DropReason;
  #tooBig!: DropReason;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#input = ctx.contributions(LinkInput);
    this.#frames = ctx.tally('frame', 'link.flying');
    this.#poll = ctx.poll({ poll: (budget) => this.#receive(budget) }, 'link.receive');
    this.#garbage = ctx.dropReason('link.garbage', 'no frame: too short or too long');
    this.#noHost = ctx.dropReason('link.no-host', 'no cable reaches that address');
    this.#tooBig = ctx.dropReason('link.too-big', `a payload of more than ${LINK_MTU} bytes`);
    this.#ports = ctx.objects<Port>('port', {
      drain: 'keep',
      close: (port) => port.unplug(),
      describe: (port) => `address ${port.address}`,
      freeze: (port) => port.frozen(),
      thaws: [1],
      thaw: (frozen) => this.#thaw(frozen),
      left: (port) => port.leave(),
    });
    ctx.door(LinkDoor, { plug: (cable, address) => this.#plug(cable, address) });
    ctx.corridor(Link, this.#corridor());
  }

  #corridor(): Link {
    const addresses = (): readonly number[] => Array.from(this.#ports, ({ address }) => address);
    return {
      get addresses() {
        return addresses();
      },
      transmit: (to, payload) => this.#transmit(to, payload),
    };
  }

  #plug(cable: Cable, address: number): Port {
    const port = new Port(this.#host(), checkAddress(address));
    const end = cable.plug(address, port);
    try {
      this.#ports.hold(port, cable, 'link.plug');
    } catch (error) {
      cable.unplug(end);
      throw error;
    }
    port.attach(end);
    return port;
  }

  #host(): PortHost {
    return {
      clock: this.#ctx.clock,
      flying: (change) => (change > 0 ? this.#frames.add(change) : this.#frames.sub(-change)),
      timerFor: (port) => this.#ctx.timer((of: Port) => this.#arrived(of), port, 'link.arrival'),
      unplugged: (port) => this.#ports.release(port),
    };
  }

  /** Frames are received in batches by the softirq loop, never by whoever sends. */
  #arrived(_port: Port): void {
    this.#poll.raise();
  }

  #receive(budget: number): number {
    let done = 0;
    for (const port of this.#ports) {
      for (let frame = port.take(); frame !== undefined; frame = port.take()) {
        this.#take(port, frame);
        if (++done === budget) {
          return done;
        }
      }
      port.expect();
    }
    return done;
  }

  #take(port: Port, bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    if (frame === undefined) {
      this.#garbage.count++;
      return;
    }
    const { to, from, payload } = frame;
    if (to !== port.address && to !== EVERYBODY) return;
    const { items, owners } = this.#input;
    for (let index = 0; index < items.length; index++) {
      this.#ctx.current.id = owners[index]!;
      items[index]!.input(from, to, payload);
      this.#ctx.current.id = this.#ctx.owner;
    }
  }

  #transmit(to: number, payload: Uint8Array): boolean {
    if (payload.length > LINK_MTU) return drop(this.#tooBig);
    for (const { end, address } of this.#ports) {
      if (end === null || !(to === EVERYBODY || end.cable.reaches(to))) continue;
      end.cable.transmit(end, emitFrame({ to, from: address, payload }));
      return true;
    }
    return drop(this.#noHost);
  }

  #thaw({ version, data }: Frozen): Port {
    if (version !== 1) throw new TypeError(`a port of layout ${version}; this build knows 1`);
    return new Port(this.#host(), checkAddress((data as { address: number }).address));
  }
}

function drop(reason: DropReason): false {
  reason.count++;
  return false;
}
