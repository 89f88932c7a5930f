import type { DeviceOps, DstUse, ErrorReport, Frozen, ModuleContext, Objects, Owner, Skb, SoftnetModule } from '@softnet/contract';
import {
  Backlog,
  DEVICE_FLAG,
  DeviceKind,
  Devices,
  DeviceTraffic,
  Held,
  IP_PROTOCOL,
  LINK_TYPE,
  Module,
  NetDevice,
  NetError,
  NetworkLayer,
  one,
  optional,
  Protocol,
  Route,
  RxQueue,
  TxQueue,
} from '@softnet/contract';
import { ipv4Dst, ipv4Src, parseIpv4 } from '@softnet/wire';
import { stackedUses } from './stacked-uses.ts';
import type { TubeHost } from './tube.ts';
import { Tube } from './tube.ts';
import { tubeLink } from './tube-link.ts';

/** Of a device that changes generations: it takes this one's place. */
class MovedTube extends Held {
  readonly ifindex: number;
  constructor(ifindex: number) {
    super();
    this.ifindex = ifindex;
  }
}

/**
 * Tunnel devices: `ip link add NAME type tube local A remote B`. They send through the backlog, receive as a protocol, and are handed over.
 * A stranger's module: of ours it knows the contract, skb and wire.
 */
@Module({
  name: 'tube',
  version: '1.0.0',
  requires: [one(Devices), one(DeviceTraffic), one(Backlog), optional(Route)],
  provides: [DeviceKind, Protocol],
})
export class TubeModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #host!: TubeHost;
  #devices!: Objects<NetDevice>;
  #uses!: Objects<DstUse>;
  readonly #ops: DeviceOps = {
    open: (device) => tubeOf(device).open(),
    stop: (device) => tubeOf(device).stop(),
    transmit: (queue, batch) => tubeOf(queue.device).transmit(queue, batch),
    remove: (device) => this.#devices.release(device),
  };

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    const refresh = ctx.poll(
      {
        poll: () => {
          for (const device of this.#devices) tubeOf(device).refresh();
          return 0;
        },
      },
      'tube.refresh',
    );
    this.#host = {
      current: ctx.current,
      layers: ctx.contributions(NetworkLayer, refresh),
      route: ctx.port(Route),
      backlog: ctx.port(Backlog),
      traffic: ctx.port(DeviceTraffic),
      noWay: ctx.dropReason('tube.no-way', 'there is no way to the other end'),
      tooBig: ctx.dropReason('tube.too-big', 'too big for the way to the other end, and not to be cut'),
    };
    this.#uses = stackedUses(ctx, 'tube-use', ({ dst }) => `by ${dst?.device?.name ?? 'a tube'}`);
    this.#devices = this.#declare();
    ctx.contribute(
      DeviceKind,
      { kind: 'tube', create: (name, options, owner) => this.#create(name, options as TubeOptions, owner) },
      'door',
    );
    ctx.contribute(Protocol, this.#protocol(), 'corridor');
  }

  #create(name: string, { local, remote, mtuBytes = 1476 }: TubeOptions, owner: Owner): NetDevice {
    const device = new NetDevice(this.#ops, tubeLink);
    device.name = name;
    device.kind = 'tube';
    device.type = LINK_TYPE.TUNNEL;
    device.flags = DEVICE_FLAG.POINTOPOINT | DEVICE_FLAG.NOARP;
    device.mtuBytes = mtuBytes;
    device.rxQueues = [new RxQueue(device, 0)];
    device.txQueues = [new TxQueue(device, 0)];
    device.uses = this.#uses;
    device.ext = new Tube(this.#host, device, addressOf(local), addressOf(remote));
    this.#devices.hold(device, owner, 'tube.create');
    this.#ctx.port(Devices).current.register(device);
    this.#ctx.port(DeviceTraffic).current.setCarrier(device, true);
    return device;
  }

  #protocol(): Protocol {
    const { traffic } = this.#host;
    const ops = this.#ops;
    const find = (local: number, remote: number): Tube | null => {
      const devices = traffic.current.all();
      for (let i = 0; i < devices.length; i++) {
        const { ops: theirs, ext } = devices[i]!;
        if (theirs === ops && (ext as Tube).local === local && (ext as Tube).remote === remote) return ext as Tube;
      }
      return null;
    };
    const input = (skb: Skb, _layer: NetworkLayer): boolean => {
      const { view } = skb.memory;
      const tube = find(ipv4Dst(view, skb.network), ipv4Src(view, skb.network));
      tube?.unwrap(skb);
      return tube !== null;
    };
    const error = (skb: Skb, _layer: NetworkLayer, report: ErrorReport): boolean => {
      const { view } = skb.memory;
      const tube = find(ipv4Src(view, skb.network), ipv4Dst(view, skb.network));
      tube?.error(skb, report);
      return tube !== null;
    };
    return { name: 'tube', number: IP_PROTOCOL.IPIP, input, error, dissect: null, gro: null, segment: null };
  }

  #declare(): Objects<NetDevice> {
    const registry = this.#ctx.port(Devices);
    const { traffic } = this.#host;
    return this.#ctx.objects<NetDevice>('device', {
      drain: 'keep',
      close: (device) => {
        registry.current.unregister(device);
        this.#devices.release(device);
      },
      derivedMoved: (device, _before, now) => {
        tubeOf(device).use = now as DstUse;
      },
      describe: ({ name }) => name,
      freeze: ({ ifindex }) => ({ version: 1, data: { ifindex } }),
      thaws: [1],
      thaw: ({ data }: Frozen) => new MovedTube((data as { ifindex: number }).ifindex) as Held as NetDevice,
      settle: (moved) => {
        const device = traffic.current.byIndex((moved as Held as MovedTube).ifindex)!;
        const { local, remote } = tubeOf(device);
        this.#devices.succeed(device, moved, moved.holdPlace);
        device.ops = this.#ops;
        device.uses = this.#uses;
        device.ext = new Tube(this.#host, device, local, remote);
        if ((device.flags & DEVICE_FLAG.UP) !== 0) tubeOf(device).open();
      },
      left: () => {},
    });
  }
}

interface TubeOptions {
  readonly local: string;
  readonly remote: string;
  readonly mtuBytes?: number;
}

function tubeOf(device: NetDevice): Tube {
  return device.ext as Tube;
}

function addressOf(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new NetError('EINVAL', `tube: '${text}' is no address: write 192.0.2.1`);
  return address;
}
