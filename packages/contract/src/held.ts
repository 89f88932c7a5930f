import type { NetError } from './errno.ts';
import type { Frozen } from './frozen.ts';

/** What the owner of an object is told. A notice is never an error event that nobody handles. */
export interface Notice {
  /**
   * `leaving`: the module goes, please let go in your time. `back`: it stays after all. Both are also said of an object
   * of another module, where one that is derived from it holds `module` up: an IPv6 socket of udp, when ipv6 goes.
   * `moved`: the object lives on as `object`, made by the next generation. `closed`: it ended with `error`.
   */
  readonly sort: 'leaving' | 'back' | 'moved' | 'closed';
  /** `name#generation` of the module that leaves, or manages the object. */
  readonly module: string;
  /** The object; for `moved`, the new one. */
  readonly object: Held;
  /** Of `moved`: the one in whose place it is. */
  readonly before?: Held;
  readonly error?: NetError;
}

/** For whom an object lives: a user's program, or a module. */
export interface Owner {
  /** Shown in lists of holders. */
  readonly name: string;
  notice?(notice: Notice): void;
}

/**
 * An object that outlives a batch of packets, and so is waited for before its module goes. It is its own hold: these
 * fields link it into the list of its kind. Classes of objects extend it; only the kernel writes the fields.
 */
export abstract class Held {
  /** The kind that it belongs to; stays set after the release, so that a second release can be named. */
  holdKind: ObjectsOfAnyKind | null = null;
  /** Neighbours in the list of the kind. Null: not held. Here, as the flow table asks for each packet whether a socket is held. */
  holdNext: Held | null = null;
  holdPrev: Held | null = null;
  /** For whom it lives; of a derived object: the root holder's owner. */
  holdOwner: Owner | null = null;
  /** Static name of the place that took the hold: 'talk.accept'. */
  holdPlace = '';
  /** When it was taken: hundredths of a second of kernel time, int32. */
  holdSinceCs = 0;
  /** The kernel's count of stages 1 when it, or the object that it follows or derives from, came in: int32. */
  holdEpoch = 0;
  /** The object that this one was derived from and ends with; null for a root hold. */
  holdHolder: Held | null = null;
  /** First of the objects derived from this one, and its neighbours among those derived from the same. */
  holdDerived: Held | null = null;
  holdDerivedPrev: Held | null = null;
  holdDerivedNext: Held | null = null;
}

/**
 * What becomes of an object of a kind when its module leaves.
 * - `wait`: it goes on; stage 2 waits for it (connections, sockets, cached dsts).
 * - `park`: it stands for a door: silent from stage 1 on, alive again on abort, handed over on replace, closed at the
 *   end (listeners). It holds nothing up.
 * - `keep`: it serves those inside until the end of stage 2 and is closed then (addresses, neighbours). It holds nothing
 *   up, and may be made for them in stage 2 too: an established flow that is routed anew needs a new neighbour.
 */
export type DrainPolicy = 'wait' | 'park' | 'keep';

/** How objects of one kind are managed. */
export interface ObjectSpec<T extends Held> {
  readonly drain: DrainPolicy;
  /**
   * Kinds that park: a generation that is *loaded* while this one leaves takes them over, as one that replaces it would. For what those inside
   * need wherever they go by next: a layer's addresses. Default: they stay, and end here.
   */
  readonly inherited?: boolean;
  /**
   * The proper close, as force uses it: say goodbye to the peer (RST), release the object now or soon. The kernel gives
   * the owner its `closed` notice. Kept and parked objects are closed by it when the module goes.
   */
  close(object: T, why: NetError): void;
  /** Parking (kinds that park): be silent, keep the port. */
  park?(object: T): void;
  resume?(object: T): void;
  /** This derived object is over, released already: its holder ended, or its module was replaced by one that cannot thaw it. */
  ended?(object: T): void;
  /** Something derived from `object` lives on as `now`, since its module was replaced: keep `now` instead of `before`. */
  derivedMoved?(object: T, before: Held, now: Held): void;
  /** One line for lists of holders: '10.0.0.1:80 ← 10.0.0.2:4711'. */
  describe?(object: T): string;
  /** Hand-over: the object as plain data. Changes nothing: the object may have to go on. */
  freeze?(object: T): Frozen;
  /** The layouts that `thaw` accepts. */
  readonly thaws?: readonly number[];
  /** Makes the object again in this generation. It claims nothing yet: the hand-over may still be called off. */
  thaw?(frozen: Frozen): T;
  /** The hand-over is sure, the kernel holds the thawed object for the same owner: take its place in registries, arm timers. */
  settle?(object: T): void;
  /** The next generation has it: cancel its timers, say nothing to peer or owner, touch nothing that is shared. */
  left?(object: T): void;
}

/**
 * Holds that somebody has without an object for each, as they would be millions, and nobody asks. He takes them, by `derive`, when it begins to matter who holds: before stage 1, and
 * before the kernel lists holders. What follows is as if they had been there from the first.
 */
export interface DeferredHolds {
  /** How many there are. */
  readonly count: number;
  /** Once: the kernel has forgotten them. Its module runs. */
  take(): void;
}

/** All objects of one kind that one generation of a module manages. */
export interface Objects<T extends Held> {
  /** 'connection'. */
  readonly kind: string;
  /** `name#generation` of the module. */
  readonly module: string;
  /** How many are held. */
  readonly count: number;
  /** False from the moment stage 1 begins, for kinds that wait or park: no new root holds. */
  readonly open: boolean;
  /** Integer of the module, for `CurrentOwner`. */
  readonly owner: number;

  /**
   * Takes a root hold: somebody new comes in. `place` is a static string.
   * @throws NetError ESHUTDOWN, naming the module, after stage 1 has begun.
   */
  hold(object: T, owner: Owner, place: string): void;
  /** Takes a derived hold: `holder` exists and needs this too. It ends with its holder at the latest. */
  derive(object: T, holder: Held, place: string): void;
  /**
   * `object` takes the place of `before`, another object of this module, which is released: for the same owner, also after
   * stage 1 has begun. So a closing connection leaves its TIME-WAIT, and a handshake its connection.
   */
  succeed(object: T, before: Held, place: string): void;
  /** The object lives for somebody else from now on, and what is derived from it too: a connection that is accepted. Also after stage 1 has begun. */
  passTo(object: T, owner: Owner): void;
  /**
   * The object is over. What was derived from it ends too.
   * @throws ModuleFault when it is not held, or not one of these.
   */
  release(object: T): void;
  /**
   * These are there too; only while `open`, and by objects that may derive. Idempotent. `recall` takes it back. Not there: holds are taken at once.
   */
  defer?(holds: DeferredHolds): void;
  recall?(holds: DeferredHolds): void;
  /** @throws ModuleFault naming the module and generation when the object is not held (use of a dead object). */
  check(object: T): void;
  [Symbol.iterator](): Iterator<T>;
}

/** A kind of objects, whatever they are. */
// biome-ignore lint/suspicious/noExplicitAny: T stands in both directions of Objects' methods
export type ObjectsOfAnyKind = Objects<any>;

/**
 * A count of things that are not listed one by one: buffers on a queue, bytes in flight. It holds the module up while
 * it is not zero.
 */
export interface Tally {
  readonly kind: string;
  readonly place: string;
  readonly count: number;
  add(n?: number): void;
  /** @throws ModuleFault when more is taken off than was added. */
  sub(n?: number): void;
}
