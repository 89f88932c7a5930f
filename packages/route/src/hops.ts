import type { NetDevice } from '@softnet/contract';
import type { HopSpec } from './hop.ts';
import { Hop, keyOfHop, refreshHop } from './hop.ts';

/** Realms that rules may have given to one hop; with one more, they are forgotten first. */
const MOST_REALMS = 256;

/** What a registry of hops does with one that changes. */
export interface HopEnds {
  /** The first uses it. */
  begin(hop: Hop): void;
  /** Its dst, and those of its exceptions, are to be made anew. */
  forget(hop: Hop): void;
  /** Nobody uses it any more. */
  end(hop: Hop): void;
  /** Whether, to the layer of this family, ways by a device without carrier are dead. */
  needsCarrier(family: number, device: NetDevice | null): boolean;
}

/** All next hops of a kernel, one of each kind. */
export class Hops {
  readonly #byKey = new Map<string, Hop>();
  readonly #ends: HopEnds;
  #serial = 0;

  constructor(ends: HopEnds) {
    this.#ends = ends;
  }

  get count(): number {
    return this.#byKey.size;
  }

  [Symbol.iterator](): Iterator<Hop> {
    return this.#byKey.values();
  }

  /** One more uses the hop that is like this; made if need be. */
  take(spec: HopSpec): Hop {
    const key = keyOfHop(spec);
    let hop = this.#byKey.get(key);
    if (hop === undefined) {
      hop = new Hop(spec, key, ++this.#serial, this.#ends.needsCarrier(spec.family, spec.device));
      this.#byKey.set(key, hop);
      this.#ends.begin(hop);
    }
    hop.users++;
    return hop;
  }

  /** The hop of this key, null: none. */
  find(key: string): Hop | null {
    return this.#byKey.get(key) ?? null;
  }

  /** The same way with the realms of a rule where it has none of its own. Linux's `set_class_tag`. */
  withRealms(hop: Hop, realms: number): Hop {
    const own = hop.spec.realms;
    const both = ((own & ~0xffff) === 0 ? realms & ~0xffff : own & ~0xffff) | ((own & 0xffff) === 0 ? realms & 0xffff : own & 0xffff);
    if (both === own) return hop;
    hop.withRealms ??= new Map();
    let variant = hop.withRealms.get(both);
    if (variant === undefined) {
      if (hop.withRealms.size === MOST_REALMS) this.#giveVariants(hop);
      variant = this.take({ ...hop.spec, realms: both });
      variant.base = hop;
      hop.withRealms.set(both, variant);
    }
    return variant;
  }

  give(hop: Hop): void {
    if (--hop.users > 0) return;
    this.#giveVariants(hop);
    this.#byKey.delete(hop.key);
    this.#ends.forget(hop);
    this.#ends.end(hop);
  }

  /** The device has changed; `anew`: in what dsts say of it; `gone`: it was the last change. Returns whether lookups may answer otherwise. */
  deviceChanged(device: NetDevice, anew: boolean, gone: boolean): boolean {
    let matters = false;
    for (const hop of this.#byKey.values()) {
      if (hop.spec.device !== device) continue;
      hop.gone ||= gone;
      const changed = this.#refresh(hop);
      if (anew || gone) this.#ends.forget(hop);
      matters ||= anew || gone || changed;
    }
    return matters;
  }

  /** What layers want of carrier may have changed. Returns whether lookups may answer otherwise. */
  refresh(): boolean {
    let matters = false;
    for (const hop of this.#byKey.values()) matters = this.#refresh(hop) || matters;
    return matters;
  }

  #giveVariants(hop: Hop): void {
    for (const variant of hop.withRealms?.values() ?? []) {
      if (variant.base === hop) variant.base = null;
      this.give(variant);
    }
    hop.withRealms?.clear();
  }

  #refresh(hop: Hop): boolean {
    return refreshHop(hop, this.#ends.needsCarrier(hop.spec.family, hop.spec.device));
  }

  /** Every dst of this family is to be made anew; 0: of all. */
  forget(family: number): void {
    for (const hop of this.#byKey.values()) if (family === 0 || hop.spec.family === family) this.#ends.forget(hop);
  }
}
