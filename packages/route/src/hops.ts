import type { NetDevice } from '@softnet/contract';
import type { HopSpec } from './hop.ts';
import { Hop, keyOfHop, refreshHop } from './hop.ts';

/** What a registry of hops does with one that changes. */
export interface HopEnds {
  /** Its dst, and those of its exceptions, are to be made anew. */
  forget(hop: Hop): void;
  /** Nobody uses it any more. */
  end(hop: Hop): void;
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
      hop = new Hop(spec, key, ++this.#serial);
      this.#byKey.set(key, hop);
    }
    hop.users++;
    return hop;
  }

  give(hop: Hop): void {
    if (--hop.users > 0) return;
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
      const changed = refreshHop(hop);
      if (anew || gone) this.#ends.forget(hop);
      matters ||= anew || gone || changed;
    }
    return matters;
  }

  /** Every dst of this family is to be made anew; 0: of all. */
  forget(family: number): void {
    for (const hop of this.#byKey.values()) if (family === 0 || hop.spec.family === family) this.#ends.forget(hop);
  }
}
