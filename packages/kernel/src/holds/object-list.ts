import type { DeferredHolds, ObjectSpec, Objects, Owner } from '@softnet/contract';
import { Held, ModuleFault, NetError } from '@softnet/contract';

/** What a list of objects asks of, and tells to, the generation that manages them. */
export interface Keeper {
  /** `name#generation`. */
  readonly label: string;
  /** Integer of the generation. */
  readonly owner: number;
  /** Keep the stack of every hold. */
  readonly debug: boolean;
  /** Kernel time in hundredths of a second, int32. */
  nowCs(): number;
  /** Counts the stages 1 of the kernel: who holds since a later one is somebody new. */
  epoch(): number;
  /** Begins an epoch, and gives it. */
  nextEpoch(): number;
  /** Holds that are waited for: one more, or one fewer. */
  counted(change: number): void;
  /** The module let an object go (still linked: it can be described). */
  releasing(list: ObjectList<Held>, object: Held): void;
  /** Calls one of the module's callbacks; what it throws is the module's fault. */
  guard(hook: string, call: () => unknown): void;
}

/** Reckoned bytes of `Held`'s eleven fields in each object, on V8 without pointer compression. */
export const HOLD_BYTES = 88;
/** No stage 1 has begun. */
const NEVER = 0x7fffffff;

/** What stands for the spec of a module that is gone. */
const BURIED: ObjectSpec<never> = Object.freeze({ drain: 'keep', close: () => undefined } as const);

/** The start of a ring: never an object of its own. */
class Ring extends Held {}

/** All objects of one kind of one generation: an intrusive ring, so that a hold taken or released allocates nothing. */
export class ObjectList<T extends Held> implements Objects<T> {
  readonly kind: string;
  readonly module: string;
  readonly owner: number;
  count = 0;
  open = true;
  spec: ObjectSpec<T>;
  readonly #keeper: Keeper;
  readonly #waits: 0 | 1;
  readonly #ring = new Ring();
  /** Holds that were not taken yet. */
  readonly #deferred = new Set<DeferredHolds>();
  /** The epoch that the last stage 1 began. */
  #shutEpoch = NEVER;
  readonly #stacks: Map<Held, string> | null;

  constructor(kind: string, spec: ObjectSpec<T>, keeper: Keeper) {
    this.kind = kind;
    this.module = keeper.label;
    this.owner = keeper.owner;
    this.spec = spec;
    this.#keeper = keeper;
    this.#waits = spec.drain === 'wait' ? 1 : 0;
    this.#stacks = keeper.debug ? new Map() : null;
    this.#ring.holdPrev = this.#ring;
    this.#ring.holdNext = this.#ring;
  }

  hold(object: T, owner: Owner, place: string): void {
    if (!this.open && this.spec !== BURIED) {
      throw new NetError('ESHUTDOWN', `${this.module} is leaving, so nobody new comes in: no ${this.kind} for ${owner.name} at ${place}`, {
        module: this.module,
      });
    }
    this.#link(object, owner, place, this.#keeper.nowCs(), this.#keeper.epoch());
  }

  derive(object: T, holder: Held, place: string): void {
    if (holder.holdNext === null || holder.holdOwner === null) {
      throw new ModuleFault(this.module, `${place} derives a ${this.kind} from a dead ${nameOf(holder)}: its holder must be held`);
    }
    if (holder.holdEpoch >= this.#shutEpoch) {
      const newcomer = `${nameOf(holder)} of ${holder.holdOwner.name}, who came after that`;
      throw new NetError('ESHUTDOWN', `${this.module} is leaving, so ${place} derives no ${this.kind} for a ${newcomer}`, {
        module: this.module,
      });
    }
    this.#link(object, holder.holdOwner, place, this.#keeper.nowCs(), holder.holdEpoch);
    attach(object, holder);
  }

  succeed(object: T, before: Held, place: string): void {
    const list = before.holdKind as ObjectList<Held> | null;
    if (list === null || list.module !== this.module || before.holdNext === null || before.holdOwner === null) {
      throw new ModuleFault(this.module, `${place} puts a ${this.kind} in the place of a ${nameOf(before)}, which it does not hold`);
    }
    this.#link(object, before.holdOwner, place, this.#keeper.nowCs(), before.holdEpoch);
    list.release(before);
  }

  passTo(object: T, owner: Owner): void {
    this.check(object);
    passOn(object, owner);
  }

  defer(holds: DeferredHolds): void {
    if (!this.open) throw new ModuleFault(this.module, `is leaving, but a hold on a ${this.kind} of it is put off: take it`);
    this.#deferred.add(holds);
  }

  recall(holds: DeferredHolds): void {
    this.#deferred.delete(holds);
  }

  /** How many holds were not taken yet. */
  get deferred(): number {
    let sum = 0;
    for (const { count } of this.#deferred) sum += count;
    return sum;
  }

  /** It begins to matter who holds: all that was put off is taken now. */
  takeDeferred(): void {
    for (const holds of [...this.#deferred]) {
      this.#deferred.delete(holds);
      this.#keeper.guard('take', () => holds.take());
    }
  }

  release(object: T): void {
    this.check(object);
    this.#keeper.releasing(this as unknown as ObjectList<Held>, object);
    this.unlink(object);
  }

  check(object: T): void {
    if (object.holdKind !== this) {
      throw new ModuleFault(
        this.module,
        `expected one of its ${this.kind} objects, got ${ownerOf(object)}: an object belongs to who holds it`,
      );
    }
    if (object.holdNext === null) {
      throw new ModuleFault(this.module, `this ${this.kind} is dead: it was released before (taken at ${object.holdPlace})`);
    }
  }

  /** Puts `object` in the place of `before`, of the last generation: same owner, place, age, holder. `before` is out of its list. */
  adopt(object: T, before: Held): void {
    const { holdOwner, holdPlace, holdSinceCs, holdEpoch, holdHolder, holdKind } = before;
    (holdKind as ObjectList<Held>).unlink(before);
    if (holdOwner === null) return;
    this.#link(object, holdOwner, holdPlace, holdSinceCs, holdEpoch);
    if (holdHolder !== null) attach(object, holdHolder);
  }

  /** Takes an object out, and ends what was derived from it. The kernel's own way: nothing is told to the module. */
  unlink(object: Held): void {
    const { holdPrev, holdNext } = object;
    if (holdPrev === null || holdNext === null) return;
    holdPrev.holdNext = holdNext;
    holdNext.holdPrev = holdPrev;
    object.holdPrev = null;
    object.holdNext = null;
    if (object.holdHolder !== null) detach(object, object.holdHolder);
    this.#stacks?.delete(object);
    this.count--;
    endDerived(object);
    if (this.#waits === 1) this.#keeper.counted(-1);
  }

  /** A derived object is over: its holder ended, or nobody took it over. */
  endWithHolder(object: Held): void {
    this.unlink(object);
    this.#keeper.guard('ended', () => this.spec.ended?.(object as T));
  }

  /** Stage 1 has begun: nobody new, but for what holds nothing up and serves those inside. */
  shut(): void {
    if (this.spec.drain === 'keep') return;
    this.open = false;
    this.#shutEpoch = this.#keeper.nextEpoch();
  }

  reopen(): void {
    this.open = true;
    this.#shutEpoch = NEVER;
  }

  /** The module is gone: its callbacks, and so its code, are let go of. */
  bury(): void {
    this.open = false;
    this.spec = BURIED;
  }

  /** The stack of the call that took the hold; debug kernels only. */
  stackOf(object: Held): string | undefined {
    return this.#stacks?.get(object);
  }

  /** Those held when the walk began, less those that are released on the way. */
  *[Symbol.iterator](): Generator<T> {
    const all: Held[] = [];
    for (let at = this.#ring.holdNext; at !== null && at !== this.#ring; at = at.holdNext) all.push(at);
    for (const object of all) if (object.holdNext !== null && object.holdKind === this) yield object as T;
  }

  /** True when `test` says so of one of them. Walks the ring itself: `test` must release nothing. */
  some(test: (object: Held) => boolean): boolean {
    for (let at = this.#ring.holdNext; at !== null && at !== this.#ring; at = at.holdNext) if (test(at)) return true;
    return false;
  }

  #link(object: T, owner: Owner, place: string, sinceCs: number, epoch: number): void {
    if (this.spec === BURIED) throw new ModuleFault(this.module, `is gone, but ${place} still takes a hold on a ${this.kind} of it`);
    if (object.holdNext !== null) {
      throw new ModuleFault(this.module, `${place} holds a ${this.kind} twice: it is ${ownerOf(object)}, taken at ${object.holdPlace}`);
    }
    const last = this.#ring.holdPrev ?? this.#ring;
    object.holdKind = this;
    object.holdOwner = owner;
    object.holdPlace = place;
    object.holdSinceCs = sinceCs;
    object.holdEpoch = epoch;
    object.holdPrev = last;
    object.holdNext = this.#ring;
    last.holdNext = object;
    this.#ring.holdPrev = object;
    this.count++;
    if (this.#waits === 1) this.#keeper.counted(1);
    this.#stacks?.set(object, new Error(place).stack ?? '');
  }
}

/** 'a connection of talk#1', for sentences. */
function ownerOf(object: Held): string {
  return object.holdKind === null ? 'one that was never held' : `a ${object.holdKind.kind} of ${object.holdKind.module}`;
}

function nameOf(object: Held): string {
  return object.holdKind === null ? 'object' : `${object.holdKind.kind} of ${object.holdKind.module}`;
}

function attach(object: Held, holder: Held): void {
  object.holdHolder = holder;
  object.holdDerivedNext = holder.holdDerived;
  if (holder.holdDerived !== null) holder.holdDerived.holdDerivedPrev = object;
  holder.holdDerived = object;
}

function detach(object: Held, holder: Held): void {
  const { holdDerivedPrev, holdDerivedNext } = object;
  if (holdDerivedPrev === null) holder.holdDerived = holdDerivedNext;
  else holdDerivedPrev.holdDerivedNext = holdDerivedNext;
  if (holdDerivedNext !== null) holdDerivedNext.holdDerivedPrev = holdDerivedPrev;
  object.holdHolder = null;
  object.holdDerivedPrev = null;
  object.holdDerivedNext = null;
}

function passOn(holder: Held, owner: Owner): void {
  holder.holdOwner = owner;
  for (let derived = holder.holdDerived; derived !== null; derived = derived.holdDerivedNext) passOn(derived, owner);
}

function endDerived(holder: Held): void {
  while (holder.holdDerived !== null) {
    const derived = holder.holdDerived;
    (derived.holdKind as ObjectList<Held>).endWithHolder(derived);
  }
}
