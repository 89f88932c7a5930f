import type { Contributions, DropReason, Frozen, Held, ModuleContext, Objects, Owner, Port, SoftnetModule } from '@softnet/contract';
import { Module, one } from '@softnet/contract';
import { Link, LinkInput } from '../link/service.ts';
import { checkPortNumber, Tables } from './machine.ts';
import type { FlowKey, Packet, Receiver } from './service.ts';
import { Exchange, ExchangeDoor, ProtocolDoor } from './service.ts';
import { FlowEntry, PortEntry, Route } from './socket.ts';
import type { PacketHeader } from './wire.ts';
import { emitPacket, parsePacket } from './wire.ts';

/**
 * Says whose packets these are: it owns ports and the flow table, so there is one of it, and it is replaced by hand-over
 * only. What it hands over knows no receivers (they are not plain data): each owner attaches its own again when it is
 * told that its flow has moved, and asks for its way again.
 */
@Module({
  name: 'test-exchange',
  version: '1.0.0',
  summary: 'ports, the flow table and demux, for tests',
  requires: [one(Link)],
  provides: [Exchange, ExchangeDoor, LinkInput],
  registry: true,
})
export class TestExchange implements SoftnetModule {
  #ctx!: ModuleContext;
  #link!: Port<Link>;
  #doors!: Contributions<ProtocolDoor>;
  #ports!: Objects<PortEntry>;
  #flows!: Objects<FlowEntry>;
  #routes!: Objects<Route>;
  #tables!: Tables<FlowEntry, PortEntry>;
  #garbage!: DropReason;
  #noProtocol!: DropReason;
  #adrift!: DropReason;
  #leaving!: DropReason;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#link = ctx.port(Link);
    this.#doors = ctx.contributions(ProtocolDoor);
    this.#tables = new Tables(ctx.random.u32());
    this.#garbage = ctx.dropReason('exchange.garbage', 'no packet: too short, or its checksum is wrong');
    this.#noProtocol = ctx.dropReason('exchange.no-protocol', 'matches no flow, and its protocol has no door now');
    this.#adrift = ctx.dropReason('exchange.adrift', 'its flow was handed over, and its owner has not attached again');
    this.#leaving = ctx.dropReason('exchange.leaving', 'matches no flow, and the exchange takes nobody new');
    this.#declare(ctx);
    ctx.door(ExchangeDoor, { bind: (protocol, port, owner) => this.#bind(protocol, port, owner) });
    ctx.corridor(Exchange, this.#corridor());
    ctx.contribute(LinkInput, { input: (from, to, payload) => this.#input(from, to, payload) }, 'corridor');
  }

  freeze(): Frozen {
    return { version: 1, data: { nextFree: this.#tables.nextFree } };
  }

  thaw({ data }: Frozen): void {
    this.#tables.nextFree = (data as { nextFree: number }).nextFree;
  }

  #declare(ctx: ModuleContext): void {
    this.#ports = ctx.objects<PortEntry>('port', {
      drain: 'park',
      close: (port) => port.release(),
      describe: ({ protocol, port }) => `protocol ${protocol} port ${port}`,
      freeze: ({ protocol, port }) => ({ version: 1, data: { protocol, port } }),
      thaws: [1],
      thaw: ({ data }) => this.#port(data as { protocol: number; port: number }),
      settle: (port) => this.#tables.addPort(port),
    });
    this.#flows = ctx.objects<FlowEntry>('flow', {
      drain: 'wait',
      close: (flow) => flow.release(),
      describe: (flow) => `port ${flow.localPort} ← ${flow.remote}:${flow.remotePort}`,
      freeze: ({ protocol, localPort, remote, remotePort }) => ({ version: 1, data: { protocol, localPort, remote, remotePort } }),
      thaws: [1],
      thaw: ({ data }) => this.#flow(data as unknown as FlowKey),
      settle: (flow) => this.#tables.addFlow(flow),
    });
    this.#routes = ctx.objects<Route>('route-use', {
      drain: 'wait',
      close: (route) => route.release(),
      describe: ({ remote }) => `way to ${remote}`,
      // Not handed over: whoever is told that its flow moved asks the next generation for its way.
    });
  }

  #corridor(): Exchange {
    const link = this.#link;
    return {
      get addresses() {
        return link.current.addresses;
      },
      send: (remote, header) => this.#send(remote, header),
      route: (remote, holder) => this.#routeFor(remote, holder),
      claim: (key, receiver, owner, place) => this.#claim(key, receiver, owner, place),
      reclaim: (key, receiver, owner, place) => {
        this.#tables.exact(key)?.release();
        return this.#claim(key, receiver, owner, place);
      },
      rebind: (protocol, port, owner) => {
        this.#tables.bound(protocol, port)?.release();
        return this.#bind(protocol, port, owner);
      },
    };
  }

  #bind(protocol: number, wanted: number, owner: Owner): PortEntry {
    const port = checkPortNumber(wanted) === 0 ? this.#tables.freePort(protocol) : wanted;
    this.#tables.checkPort(protocol, port);
    const bound = this.#port({ protocol, port });
    this.#ports.hold(bound, owner, 'exchange.bind');
    this.#tables.addPort(bound);
    return bound;
  }

  #claim(wanted: FlowKey, receiver: Receiver, owner: Owner, place: string): FlowEntry {
    const localPort = checkPortNumber(wanted.localPort) === 0 ? this.#tables.freePort(wanted.protocol) : wanted.localPort;
    const key = { ...wanted, localPort };
    this.#tables.checkFlow(key);
    const flow = this.#flow(key);
    this.#flows.hold(flow, owner, place);
    flow.attach(receiver);
    this.#tables.addFlow(flow);
    return flow;
  }

  #routeFor(remote: number, holder: Held): Route {
    const route = this.#route(remote);
    this.#routes.derive(route, holder, 'exchange.route');
    return route;
  }

  #port({ protocol, port }: { protocol: number; port: number }): PortEntry {
    return new PortEntry(protocol, port, (entry) => {
      this.#tables.removePort(entry);
      this.#ports.release(entry);
    });
  }

  #flow(key: FlowKey): FlowEntry {
    return new FlowEntry(key, (flow) => {
      this.#tables.removeFlow(flow);
      this.#flows.release(flow);
    });
  }

  #route(remote: number): Route {
    return new Route(
      remote,
      (to, header) => this.#send(to, header),
      (route) => this.#routes.release(route),
    );
  }

  #send(remote: number, header: PacketHeader): boolean {
    const { current, owner } = this.#ctx;
    const caller = current.id;
    current.id = owner;
    const bytes = emitPacket(header);
    current.id = this.#link.owner;
    const sent = this.#link.current.transmit(remote, bytes);
    current.id = caller;
    return sent;
  }

  #input(from: number, to: number, bytes: Uint8Array): void {
    const header = parsePacket(bytes);
    if (header === undefined) {
      this.#garbage.count++;
      return;
    }
    const flow = this.#tables.find(header.protocol, header.toPort, from, header.fromPort);
    const packet: Packet = { ...header, from, to };
    if (flow === undefined) this.#unmatched(packet);
    else if (flow.receiver === null) this.#adrift.count++;
    else this.#deliver(flow.receiver, packet);
  }

  #deliver(receiver: Receiver, packet: Packet): void {
    this.#ctx.current.id = receiver.owner;
    receiver.receive(packet);
    this.#ctx.current.id = this.#ctx.owner;
  }

  /** Only somebody new comes this way, so a protocol that leaves does not hear of it. */
  #unmatched(packet: Packet): void {
    if (!this.#flows.open) {
      this.#leaving.count++;
      return;
    }
    const { items, owners } = this.#doors;
    const index = items.findLastIndex(({ protocol }) => protocol === packet.protocol);
    if (index < 0) {
      this.#noProtocol.count++;
      return;
    }
    this.#ctx.current.id = owners[index]!;
    items[index]!.unmatched(packet);
    this.#ctx.current.id = this.#ctx.owner;
  }
}
