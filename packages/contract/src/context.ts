import type { Clock, Poll, PollSource, Random, Timer } from './clock.ts';
import type { Counter, DropReason, Log, SkbSlot } from './counter.ts';
import type { Held, ObjectSpec, Objects, Owner, Tally } from './held.ts';
import type { Contributions, CurrentOwner, Port } from './port.ts';
import type { SysctlBranch } from './sysctl.ts';
import type { PointToken, ServiceToken } from './token.ts';

/**
 * All that a module gets from the kernel, and the only way to it. What is published here is recorded, and taken back by
 * the kernel: **doors** (create, bind, listen, connect, configure, packets that match no object) when stage 1 begins,
 * **corridors** (input for existing objects, errors, dst and neighbour operations) when stage 2 has ended.
 *
 * Before `start` resolves, publications are staged. After the module is gone, every call here throws a `ModuleFault`.
 */
export interface ModuleContext extends Owner {
  /** The module's name, also as an owner of objects elsewhere. */
  readonly name: string;
  /** 1 for the first load of this name in the kernel, 2 for the next. */
  readonly generation: number;
  /** Integer of this generation, for {@link CurrentOwner}. */
  readonly owner: number;
  readonly current: CurrentOwner;

  /** Publishes a service that lets users in. Gone at stage 1, back on abort. */
  door<T extends object>(token: ServiceToken<T>, provider: T): void;
  /** Publishes a service for those inside. Gone after stage 2. */
  corridor<T extends object>(token: ServiceToken<T>, provider: T): void;
  /** Adds to a point of contribution, as a door or as a corridor. */
  contribute<T extends object>(point: PointToken<T>, item: T, as: 'door' | 'corridor'): void;
  /** The way to a service named in `requires`, or in `provides`. @throws NetError EINVAL for another. */
  port<T extends object>(token: ServiceToken<T>): Port<T>;
  /**
   * What live modules contribute to a point. `some` in `requires` says that there must be at least one.
   * @param changed this module's own: raised at each change, for what must be done then and there.
   */
  contributions<T extends object>(point: PointToken<T>, changed?: Poll): Contributions<T>;

  /** Declares a kind of objects that this module manages. Once for each kind, in `start`. */
  objects<T extends Held>(kind: string, spec: ObjectSpec<T>): Objects<T>;
  /** Declares a count that holds the module up while it is not zero. */
  tally(kind: string, place: string): Tally;

  /** Makes a timer. `fire(arg)` runs in the softirq loop. `place`: a static name for lists. */
  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer;
  /** Registers work for the softirq loop: a corridor. */
  poll(source: PollSource, place: string): Poll;

  readonly clock: Clock;
  readonly random: Random;
  readonly sysctl: SysctlBranch;
  readonly log: Log;
  counter(name: string): Counter;
  /** Registers why this module drops packets; asking again for a name gives the same reason. */
  dropReason(name: string, text: string): DropReason;
  /** Takes one of the few slots of an skb. @throws NetError ENOSPC when all are taken. */
  skbSlot(name: string): SkbSlot;
}
