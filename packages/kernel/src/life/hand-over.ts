import type { Frozen, Owner, Plain } from '@softnet/contract';
import { Held, NetError } from '@softnet/contract';
import type { ObjectList } from '../holds/object-list.ts';
import { messageOf } from '../load/describe-value.ts';
import type { Generation } from './generation.ts';

/** An object of the old generation with its double in the new one, not yet held. */
interface Pair {
  readonly from: ObjectList<Held>;
  readonly to: ObjectList<Held>;
  readonly old: Held;
  readonly adopted: Held;
}

/** How one generation follows another: it replaces it, at once or while it drains, or is loaded while it leaves anyhow. */
type Succession = 'handover' | 'drain' | 'beside';

/**
 * Moves the objects of one generation to the next, as plain data: all of them; where the old one drains, the parked; where the next was loaded
 * beside it, those of the parked that are inherited.
 * Everything that may fail happens in `prepare`, which changes nothing that others see; `complete` runs in the tick in
 * which the new generation goes live, `tell` at its end.
 */
export class HandOver {
  readonly #mode: Succession;
  readonly #from: Generation;
  readonly #to: Generation;
  #pairs: readonly Pair[] = [];
  readonly #moved: [owner: Owner, before: Held, object: Held][] = [];

  constructor(from: Generation, to: Generation, mode: Succession) {
    this.#from = from;
    this.#to = to;
    this.#mode = mode;
  }

  /**
   * Freezes and thaws: module state first, then every object. The old generation goes on meanwhile.
   * @throws NetError EBUSY when something cannot be frozen or thawed.
   */
  prepare(): void {
    this.#from.takeDeferred();
    if (this.#mode === 'handover') this.#moveState();
    const pairs = [...this.#from.kinds.values()].filter((list) => this.#moves(list)).flatMap((list) => this.#double(list));
    if (new Set(pairs.map(({ adopted }) => adopted)).size < pairs.length) {
      throw new NetError('EBUSY', `${this.#to.label} thawed one object for two: thaw makes a new one each time`, {
        module: this.#to.label,
      });
    }
    // Roots first: what derives from an object that moves is over, the new one derives anew when it settles.
    this.#pairs = pairs.sort((a, b) => Number(a.old.holdHolder !== null) - Number(b.old.holdHolder !== null));
  }

  /** Puts each new object in the place of the old one. Returns how many moved, by kind. */
  complete(): Record<string, number> {
    const adopted: Record<string, number> = {};
    for (const pair of this.#pairs) {
      if (pair.old.holdNext === null) continue;
      this.#move(pair);
      adopted[pair.to.kind] = (adopted[pair.to.kind] ?? 0) + 1;
    }
    if (this.#mode === 'handover') this.#endDerived();
    return adopted;
  }

  /** Tells owners the objects that they have now. */
  tell(): void {
    for (const [owner, before, object] of this.#moved) this.#to.notify(owner, { sort: 'moved', module: this.#to.label, object, before });
  }

  #moves(list: ObjectList<Held>): boolean {
    if (list.count === 0 || (this.#mode !== 'handover' && list.spec.drain !== 'park')) return false;
    if (this.#mode === 'beside' && list.spec.inherited !== true) return false;
    return obstacleOf(list, this.#to) === undefined;
  }

  #move({ from, to, old, adopted }: Pair): void {
    const { holdOwner, holdHolder } = old;
    to.adopt(adopted, old);
    this.#from.guard('left', () => from.spec.left?.(old));
    this.#to.guard('settle', () => to.spec.settle?.(adopted));
    if (holdHolder !== null) {
      const holders = holdHolder.holdKind as ObjectList<Held>;
      this.#to.guard('derivedMoved', () => holders.spec.derivedMoved?.(holdHolder, old, adopted));
    } else if (holdOwner !== null) this.#moved.push([holdOwner, old, adopted]);
  }

  /** What derives from objects of others and was not thawed: its holders derive anew at their next use. */
  #endDerived(): void {
    for (const list of this.#from.kinds.values()) {
      for (const object of list) if (object.holdHolder !== null) list.endWithHolder(object);
    }
  }

  #moveState(): void {
    const { module: old, label } = this.#from;
    const young = this.#to.module;
    if (old?.freeze === undefined || young?.thaw === undefined) return;
    const frozen = checked(label, 'its state', () => old.freeze?.());
    thawing(this.#to.label, 'the state', frozen, () => young.thaw?.(frozen));
  }

  #double(from: ObjectList<Held>): Pair[] {
    const to = this.#to.kinds.get(from.kind) as ObjectList<Held>;
    return Array.from(from, (old) => {
      const frozen = checked(from.module, `a ${from.kind}`, () => from.spec.freeze?.(old));
      refuseUnknown(frozen, from, to);
      const adopted: unknown = thawing(to.module, `a ${from.kind}`, frozen, () => to.spec.thaw?.(frozen));
      if (adopted instanceof Held && adopted.holdNext === null) return { from, to, old, adopted };
      const what = adopted instanceof Held ? 'an object that is held already' : 'nothing that can be held';
      throw new NetError('EBUSY', `${to.module}: thaw of a ${from.kind} returned ${what}: return a new object, the kernel holds it`, {
        module: to.module,
      });
    });
  }
}

/** Why objects cannot move from one generation to the other; undefined if they can. Kinds without objects move anyhow. */
export function obstacleToHandOver(from: Generation, to: Generation): string | undefined {
  if (from.module?.freeze !== undefined && to.module?.thaw === undefined) return `${to.label} cannot thaw the state of ${from.label}`;
  const rooted = [...from.kinds.values()].filter(
    (list) => list.spec.drain !== 'keep' && list.some(({ holdHolder }) => holdHolder === null),
  );
  return rooted.map((list) => obstacleOf(list, to)).find((why) => why !== undefined);
}

function obstacleOf(from: ObjectList<Held>, { kinds, label }: Generation): string | undefined {
  if (from.spec.freeze === undefined) return `${from.module} cannot freeze a ${from.kind}`;
  if (kinds.get(from.kind)?.spec.thaw === undefined) return `${label} cannot thaw a ${from.kind}`;
  return undefined;
}

function refuseUnknown({ version }: Frozen, from: ObjectList<Held>, to: ObjectList<Held>): void {
  const known = to.spec.thaws ?? [];
  if (known.includes(version)) return;
  const sentence = `${from.module} froze a ${from.kind} in layout ${version}, and ${to.module} thaws ${known.join(', ') || 'none'}`;
  throw new NetError('EBUSY', sentence, { module: to.module });
}

/** Takes a frozen thing only if it is what it must be: plain data, which `structuredClone` copies, with a version. */
function checked(module: string, what: string, freeze: () => Frozen | undefined): Frozen {
  let frozen: Frozen | undefined;
  try {
    frozen = freeze();
    if (frozen !== undefined && isPlain(frozen.data) && Number.isInteger(frozen.version)) {
      return { version: frozen.version, data: structuredClone(frozen.data) };
    }
  } catch (error) {
    throw new NetError('EBUSY', `${module} failed to freeze ${what}: ${messageOf(error)}`, { module, cause: error });
  }
  throw new NetError('EBUSY', `${module} froze ${what} as something other than plain data with an integer version`, { module });
}

function thawing<T>(module: string, what: string, frozen: Frozen, thaw: () => T): T {
  try {
    return thaw();
  } catch (error) {
    throw new NetError('EBUSY', `${module} failed to thaw ${what} of layout ${frozen.version}: ${messageOf(error)}`, {
      module,
      cause: error,
    });
  }
}

/** Only what means the same in another build: no class instances, no functions. */
function isPlain(value: unknown): value is Plain {
  if (value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value)) return true;
  if (typeof value !== 'object') return false;
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === null || Object.getPrototypeOf(prototype) === null) && Object.values(value).every(isPlain);
}
