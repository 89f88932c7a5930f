import type { Clock, Dst, Flow, Random } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import { IcmpAllowance, mixHash } from '@softnet/inet';
import type { TypeMask } from './type-mask.ts';

/** What settings say: `net.ipv6.icmp.*`. */
interface Bound {
  readonly value: number;
}
export interface IcmpBounds {
  readonly limitedTypes: TypeMask;
  readonly errorIntervalMs: Bound;
  readonly errorsPerSecond: Bound;
  readonly errorsBurst: Bound;
}

/** A neighbour's interval is so many times shorter, one's behind a router so many: Linux scales by the route's prefix, as here for /64 and ::/0. */
const NEAR_SHIFT = 2;
const FAR_SHIFT = 4;

/** How many ICMPv6 messages leave (RFC 4443 §2.4 f): of the types in the mask, so many to each peer, and so many in all. */
export class IcmpLimits {
  readonly #bounds: IcmpBounds;
  readonly #allowance: IcmpAllowance;
  readonly #secret: number;

  constructor(clock: Clock, random: Random, bounds: IcmpBounds) {
    this.#bounds = bounds;
    this.#allowance = new IcmpAllowance(clock, random);
    this.#secret = random.u32() | 0;
  }

  /** May it be sent to the flow's destination, which is reached by this dst? Then it counts. */
  take(type: number, flow: Flow, dst: Dst): boolean {
    const { limitedTypes, errorIntervalMs, errorsPerSecond, errorsBurst } = this.#bounds;
    if (!limitedTypes.has(type)) return true;
    const isHere = dst.device !== null && (dst.device.flags & DEVICE_FLAG.LOOPBACK) !== 0;
    const intervalMs = isHere ? 0 : errorIntervalMs.value >> (dst.gatewayFamily === 0 ? NEAR_SHIFT : FAR_SHIFT);
    return this.#allowance.take(this.#peerOf(flow), intervalMs, errorsPerSecond.value, errorsBurst.value);
  }

  #peerOf({ dst0, dst1, dst2, dst3 }: Flow): number {
    return mixHash(mixHash(mixHash(mixHash(this.#secret, dst0), dst1), dst2), dst3);
  }
}
