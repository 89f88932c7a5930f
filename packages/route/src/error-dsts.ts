import type { DropReason, DstUse, Errno, Generation, Objects } from '@softnet/contract';
import { Dst, ERRNO, ROUTE_TYPE, TRANSMIT } from '@softnet/contract';

/** Why there is no way. */
export type NoWay = 'none' | 'source' | 'unreachable' | 'prohibit' | 'blackhole' | 'no-layer' | 'leaving';

/** Registers a drop reason: `ctx.dropReason`. */
export type Reasons = (name: string, text: string) => DropReason;

const ERRORS: Readonly<Record<NoWay, readonly [type: number, errno: Errno, text: string]>> = {
  none: [ROUTE_TYPE.UNREACHABLE, 'ENETUNREACH', 'no route to the destination (RFC 1812 §4.3.3.1)'],
  source: [ROUTE_TYPE.UNSPEC, 'EXDEV', 'there is no way back to the source, or not by the device that it came in by (RFC 3704)'],
  unreachable: [ROUTE_TYPE.UNREACHABLE, 'EHOSTUNREACH', 'a route of type unreachable: an administrator wants it so'],
  prohibit: [ROUTE_TYPE.PROHIBIT, 'EACCES', 'a route of type prohibit: an administrator wants it so (RFC 1812 §5.2.7.1)'],
  blackhole: [ROUTE_TYPE.BLACKHOLE, 'EINVAL', 'a route of type blackhole: dropped without a word'],
  'no-layer': [ROUTE_TYPE.UNREACHABLE, 'EAFNOSUPPORT', 'no module speaks the family of the destination'],
  leaving: [ROUTE_TYPE.UNREACHABLE, 'ENETUNREACH', 'the way leads through a module that is leaving and takes nobody new'],
};

/** The dsts of those who cannot go: one for each family and cause. Senders are told by `dst.error`. */
export class ErrorDsts {
  /** By cause: what its dsts drop under. */
  readonly reasons: Readonly<Record<NoWay, DropReason>>;
  readonly #generation: Generation;
  readonly #uses: Objects<DstUse>;
  readonly #made = new Map<string, Map<number, Dst>>();

  /** @param uses a kind that holds nothing up: so it is remembered who uses one, until there is a way. */
  constructor(generation: Generation, uses: Objects<DstUse>, reason: Reasons) {
    this.#generation = generation;
    this.#uses = uses;
    const entries = Object.entries(ERRORS).map(([why, [, , text]]) => [why, reason(`route.${why}`, text)]);
    this.reasons = Object.fromEntries(entries) as Record<NoWay, DropReason>;
  }

  of(why: NoWay, family: number): Dst {
    let families = this.#made.get(why);
    if (families === undefined) {
      families = new Map();
      this.#made.set(why, families);
    }
    let dst = families.get(family);
    if (dst === undefined) {
      dst = this.#make(why, family);
      // Anybody can ask for any number; what is not a family of addresses is not kept.
      if (family >= 0 && family < 64) families.set(family, dst);
    }
    return dst;
  }

  /** For packets of a route of this type. */
  ofType(type: number, family: number): Dst {
    if (type === ROUTE_TYPE.BLACKHOLE) return this.of('blackhole', family);
    return this.of(type === ROUTE_TYPE.PROHIBIT ? 'prohibit' : 'unreachable', family);
  }

  /** For packets that a rule refuses: one of `ROUTE_TYPE`; 0: no rule did, nothing was found. */
  ofRefusal(type: number, family: number): Dst {
    return type === ROUTE_TYPE.BLACKHOLE || type === ROUTE_TYPE.PROHIBIT ? this.ofType(type, family) : this.of('none', family);
  }

  /** The module stops: whoever has one asks again. */
  close(): void {
    for (const families of this.#made.values()) for (const dst of families.values()) dst.obsolete = true;
  }

  #make(why: NoWay, family: number): Dst {
    const [type, errno] = ERRORS[why];
    const reason = this.reasons[why];
    const dst = new Dst(this.#generation, (skb) => {
      skb.memory.pool.drop(skb, reason);
      return TRANSMIT.DROPPED;
    });
    dst.family = family;
    dst.type = type;
    dst.error = ERRNO[errno];
    dst.uses = this.#uses;
    return dst;
  }
}
