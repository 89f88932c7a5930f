import type {
  Contributions,
  CurrentOwner,
  DeviceTraffic,
  Generation,
  LightweightTunnel,
  NetDevice,
  Plain,
  Port,
  SkbStep,
} from '@softnet/contract';
import { DEVICE_FLAG, DST_METRIC, Dst, NetError, TRANSMIT } from '@softnet/contract';
import { isOwn } from './destination.ts';
import type { ErrorDsts } from './error-dsts.ts';
import type { RouteException } from './exceptions.ts';
import type { Hop, HopSpec } from './hop.ts';
import type { Layers } from './layers.ts';

/** The largest packet of either family without a jumbo option: 16 bits of length. */
const MAX_PACKET_BYTES = 65535;

export interface DstMakerSpec {
  readonly generation: Generation;
  readonly errors: ErrorDsts;
  readonly layers: Layers;
  readonly tunnels: Contributions<LightweightTunnel>;
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
}

/** Makes the dsts of next hops: the next hop's part here, the steps by its layer, what is stacked on it by its tunnel. */
export class DstMaker {
  readonly #spec: DstMakerSpec;
  readonly #discard: SkbStep;

  constructor(spec: DstMakerSpec) {
    this.#spec = spec;
    const reason = spec.errors.reasons['no-layer'];
    this.#discard = (skb) => {
      skb.memory.pool.drop(skb, reason);
      return TRANSMIT.DROPPED;
    };
  }

  /** For a destination behind `hop`; an error where no layer or tunnel can serve it. */
  make(hop: Hop, exception: RouteException | null): Dst {
    const { errors } = this.#spec;
    const { encap, family } = hop.spec;
    let dst = this.#bottom(hop, exception);
    if (dst === null) return errors.of('no-layer', family);
    try {
      if (encap !== null) dst = this.#stack(dst, encap.name, encap.config);
    } catch (error) {
      if (error instanceof NetError) return errors.of('none', family);
      throw error;
    }
    if (exception !== null && exception.mtuBytes > 0) {
      dst.mtuBytes = Math.min(dst.mtuBytes, exception.mtuBytes);
      dst.mtuLocked = exception.mtuLocked;
    }
    return dst;
  }

  /** @throws NetError what its tunnel says of a hop that is not in use yet; ESHUTDOWN when it leaves: it serves the hops that there are. */
  tryOut(spec: HopSpec): void {
    const { encap } = spec;
    if (encap === null) return;
    const bottom = this.#bottom({ spec }, null);
    if (bottom === null) {
      this.#tunnelOf(encap.name);
      return;
    }
    const { uses } = this.#stack(bottom, encap.name, encap.config);
    if (uses !== null && !uses.open) throw new NetError('ESHUTDOWN', `${uses.module} is leaving, so no new route goes by '${encap.name}'`);
  }

  /** The device that takes packets to this host. */
  loopback(): NetDevice | null {
    for (const device of this.#spec.traffic.current.all()) if ((device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return device;
    return null;
  }

  /** Its place among the tunnels; of two generations, the newer's. @throws NetError EOPNOTSUPP. */
  #tunnelOf(name: string): number {
    const index = this.#spec.tunnels.items.findLastIndex((tunnel) => tunnel.name === name);
    if (index >= 0) return index;
    throw new NetError('EOPNOTSUPP', `no module offers the encapsulation '${name}' that the route asks for: load one`);
  }

  /** @throws NetError EOPNOTSUPP; what the tunnel throws. */
  #stack(child: Dst, name: string, config: Plain): Dst {
    const { tunnels, current } = this.#spec;
    const index = this.#tunnelOf(name);
    const caller = current.id;
    current.id = tunnels.owners[index]!;
    try {
      return tunnels.items[index]!.stack(child, config);
    } finally {
      current.id = caller;
    }
  }

  #bottom({ spec }: Pick<Hop, 'spec'>, exception: RouteException | null): Dst | null {
    const device = isOwn(spec.type) ? this.loopback() : spec.device;
    const dst = new Dst(this.#spec.generation, this.#discard);
    dst.family = spec.family;
    dst.type = spec.type;
    dst.device = device;
    const redirected = exception !== null && exception.gatewayFamily !== 0;
    dst.gatewayFamily = redirected ? exception.gatewayFamily : spec.gatewayFamily;
    dst.gateway0 = redirected ? exception.gateway0 : spec.gateway[0];
    dst.gateway1 = redirected ? exception.gateway1 : spec.gateway[1];
    dst.gateway2 = redirected ? exception.gateway2 : spec.gateway[2];
    dst.gateway3 = redirected ? exception.gateway3 : spec.gateway[3];
    dst.headroomBytes = device?.headroomBytes ?? 0;
    dst.tailroomBytes = device?.tailroomBytes ?? 0;
    dst.mtuBytes = Math.min(device?.mtuBytes ?? MAX_PACKET_BYTES, MAX_PACKET_BYTES);
    dst.metrics = spec.metrics;
    dst.realms = spec.realms;
    if (!this.#spec.layers.prepare(dst)) return null;
    const metric = spec.metrics?.[DST_METRIC.MTU] ?? 0;
    if (metric > 0) dst.mtuBytes = Math.min(dst.mtuBytes, metric);
    return dst;
  }
}
