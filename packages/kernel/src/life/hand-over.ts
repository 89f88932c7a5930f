import type { Frozen, Held, Plain } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { ObjectList } from '../holds/object-list.ts';
import type { Generation } from './generation.ts';

/** An object of the old generation with its double in the new one, not yet held. */
interface Pair {
  readonly from: ObjectList<Held>;
  readonly to: ObjectList<Held>;
  readonly old: Held;
  readonly adopted: Held;
}

/**
 * Moves the objects of one generation to the next, as plain data. Everything that may fail happens in `prepare`, which
 * changes nothing that others see; `complete` runs in the tick in which the new generation goes live.
 */
export class HandOver {
  readonly #from: Generation;
  readonly #to: Generation;
  #pairs: readonly Pair[] = [];
  #everything = false;

  constructor(from: Generation, to: Generation) {
    this.#from = from;
    this.#to = to;
  }

  /** Why objects of all kinds cannot move; undefined if they can. Kinds without objects move anyhow. */
  obstacle(): string | undefined {
    const { module: old, label } = this.#from;
    if (old?.freeze !== undefined && this.#to.module?.thaw === undefined) return `${this.#to.label} cannot thaw the state of ${label}`;
    for (const list of this.#from.kinds.values()) {
      if (list.spec.drain === 'keep' || !list.some(({ holdHolder }) => holdHolder === null)) continue;
      const why = obstacleOf(list, this.#to.kinds.get(list.kind), this.#to.label);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /**
   * Freezes and thaws: module state first, then every object of `kinds`. The old generation goes on meanwhile.
   * @throws NetError EBUSY when something cannot be frozen or thawed.
   */
  prepare(kinds: 'all' | 'parked'): void {
    this.#everything = kinds === 'all';
    if (kinds === 'all') this.#moveState();
    this.#pairs = [...this.#from.kinds.values()].filter((list) => movable(list, this.#to, kinds)).flatMap((list) => this.#double(list));
  }

  /** The tick of the change: each object's owner has the new one from here on. Returns how many moved, by kind. */
  complete(): Record<string, number> {
    const adopted: Record<string, number> = {};
    for (const pair of this.#pairs) {
      // What derives from an object that moved is over: the new one derives anew when it settles.
      if (pair.old.holdNext === null) continue;
      this.#move(pair);
      adopted[pair.to.kind] = (adopted[pair.to.kind] ?? 0) + 1;
    }
    if (this.#everything) this.#endDerived();
    return adopted;
  }

  #move({ from, to, old, adopted }: Pair): void {
    const { holdOwner, holdHolder } = old;
    to.adopt(adopted, old);
    attempt(this.#from, 'left', () => from.spec.left?.(old));
    attempt(this.#to, 'settle', () => to.spec.settle?.(adopted));
    if (holdHolder === null) this.#to.notify(holdOwner, { sort: 'moved', module: this.#to.label, object: adopted });
    else attempt(this.#to, 'derivedMoved', () => (holdHolder.holdKind as ObjectList<Held>).spec.derivedMoved?.(holdHolder, old, adopted));
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
      const adopted = thawing(to.module, `a ${from.kind}`, frozen, () => to.spec.thaw?.(frozen));
      if (adopted === undefined)
        throw new NetError('EBUSY', `${to.module}: thaw of a ${from.kind} returned nothing`, { module: to.module });
      return { from, to, old, adopted };
    });
  }
}

function movable(list: ObjectList<Held>, to: Generation, kinds: 'all' | 'parked'): boolean {
  if (list.count === 0 || list.spec.freeze === undefined) return false;
  if (kinds === 'parked' && list.spec.drain !== 'park') return false;
  return obstacleOf(list, to.kinds.get(list.kind), to.label) === undefined;
}

function obstacleOf(from: ObjectList<Held>, to: ObjectList<Held> | undefined, label: string): string | undefined {
  if (from.spec.freeze === undefined) return `${from.module} cannot freeze a ${from.kind}`;
  if (to?.spec.thaw === undefined) return `${label} cannot thaw a ${from.kind}`;
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
    throw new NetError('EBUSY', `${module} failed to freeze ${what}: ${String(error)}`, { module, cause: error });
  }
  throw new NetError('EBUSY', `${module} froze ${what} as something other than plain data with an integer version`, { module });
}

function thawing<T>(module: string, what: string, frozen: Frozen, thaw: () => T): T {
  try {
    return thaw();
  } catch (error) {
    throw new NetError('EBUSY', `${module} failed to thaw ${what} of layout ${frozen.version}: ${String(error)}`, { module, cause: error });
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

function attempt(generation: Generation, hook: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    generation.faulted(hook, error);
  }
}
