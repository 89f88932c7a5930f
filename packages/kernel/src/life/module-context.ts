import type {
  Clock,
  Contributions,
  Counter,
  CurrentOwner,
  DropReason,
  Held,
  Log,
  ModuleContext,
  ObjectSpec,
  Objects,
  PointToken,
  Poll,
  PollSource,
  Port,
  Random,
  ServiceToken,
  SkbSlot,
  SysctlBranch,
  Tally,
  Timer,
} from '@softnet/contract';
import { ModuleFault, NetError } from '@softnet/contract';
import type { Generation } from './generation.ts';
import type { Parts } from './parts.ts';
import type { Side } from './publications.ts';
import { isLeaving } from './states.ts';

/** The module context of one generation: checks who asks, and writes down what is published. */
export class Context implements ModuleContext {
  readonly name: string;
  readonly generation: number;
  readonly owner: number;
  readonly current: CurrentOwner;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sysctl: SysctlBranch;
  readonly #of: Generation;
  readonly #parts: Parts;

  constructor(of: Generation, parts: Parts) {
    this.#of = of;
    this.#parts = parts;
    this.name = of.name;
    this.generation = of.number;
    this.owner = of.owner;
    this.current = parts.executive.current;
    this.clock = parts.executive.clock;
    this.random = parts.random.fork(of.label);
    this.log = parts.journal.of(of.label);
    this.sysctl = { define: (name, spec, changed) => this.#alive('sysctl.define').resources.define(name, spec, changed) };
  }

  door<T extends object>(token: ServiceToken<T>, provider: T): void {
    this.#publishing(token, 'door').publications.service(token, provider, 'door');
  }

  corridor<T extends object>(token: ServiceToken<T>, provider: T): void {
    this.#publishing(token, 'corridor').publications.service(token, provider, 'corridor');
  }

  contribute<T extends object>(point: PointToken<T>, item: T, as: Side): void {
    this.#publishing(point, as).publications.contribution(point, item, as);
  }

  port<T extends object>(token: ServiceToken<T>): Port<T> {
    const { manifest, label } = this.#alive('port');
    const named = manifest.requires.some((requirement) => requirement.token.key === token.key);
    if (!named && !manifest.provides.some((own) => own.key === token.key)) {
      throw new NetError(
        'EINVAL',
        `${label} asks for ${token.name} but does not require it: add one(${token.name}) or optional(${token.name})`,
        {
          module: label,
        },
      );
    }
    return this.#parts.board.port(token);
  }

  contributions<T extends object>(point: PointToken<T>): Contributions<T> {
    this.#alive('contributions');
    return this.#parts.board.contributions(point);
  }

  objects<T extends Held>(kind: string, spec: ObjectSpec<T>): Objects<T> {
    return this.#alive('objects').declare(kind, spec as unknown as ObjectSpec<Held>) as unknown as Objects<T>;
  }

  tally(kind: string, place: string): Tally {
    return this.#alive('tally').tally(kind, place);
  }

  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer {
    return this.#alive('timer').resources.timer(fire, arg, place);
  }

  poll(source: PollSource, place: string): Poll {
    return this.#alive('poll').resources.poll(source, place);
  }

  counter(name: string): Counter {
    return this.#parts.counters.counter(this.#alive('counter').label, name);
  }

  dropReason(name: string, text: string): DropReason {
    return this.#parts.dropReasons.register(this.#alive('dropReason').owner, name, text);
  }

  skbSlot(name: string): SkbSlot {
    return this.#parts.skbSlots.take(this.#alive('skbSlot').owner, name);
  }

  /** @throws ModuleFault when the module is gone: nothing must outlive it. */
  #alive(call: string): Generation {
    if (this.#of.state === 'gone') throw new ModuleFault(this.#of.label, `is gone, but its context is still used: ctx.${call}()`);
    return this.#of;
  }

  #publishing(token: ServiceToken<never> | PointToken<never> | { name: string; key: symbol }, side: Side): Generation {
    const generation = this.#alive(side);
    const { label, manifest, state } = generation;
    if (!manifest.provides.some((own) => own.key === token.key)) {
      throw new NetError('EINVAL', `${label} publishes ${token.name} but does not say so: add it to provides`, { module: label });
    }
    if (side === 'door' && isLeaving(state)) {
      throw new NetError('ESHUTDOWN', `${label} is leaving, so it opens no new door (${token.name})`, { module: label });
    }
    return generation;
  }
}
