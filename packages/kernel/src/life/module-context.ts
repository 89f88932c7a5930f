import type {
  AnyToken,
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
import { describeValue } from '../load/describe-value.ts';
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
    this.sysctl = {
      define: (name, spec, changed) => this.#alive('sysctl.define').resources.sysctl.define(name, spec, changed),
      forget: (name) => this.#alive('sysctl.forget').resources.sysctl.forget(name),
      set: (name, value) => this.#alive('sysctl.set').resources.sysctl.set(name, value),
    };
  }

  door<T extends object>(token: ServiceToken<T>, provider: T): void {
    this.#publishing(token, provider, 'door').publications.service(token, provider, 'door');
  }

  corridor<T extends object>(token: ServiceToken<T>, provider: T): void {
    this.#publishing(token, provider, 'corridor').publications.service(token, provider, 'corridor');
  }

  contribute<T extends object>(point: PointToken<T>, item: T, as: Side): void {
    this.#publishing(point, item, as).publications.contribution(point, item, as);
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

  contributions<T extends object>(point: PointToken<T>, changed?: Poll): Contributions<T> {
    const { resources } = this.#alive('contributions');
    const cell = this.#parts.board.contributions(point);
    if (changed !== undefined) resources.watching(cell.watch(changed));
    return cell;
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
    if (this.#of.phase === 'gone') throw new ModuleFault(this.#of.label, `is gone, but its context is still used: ctx.${call}()`);
    return this.#of;
  }

  #publishing(token: AnyToken, provider: object, side: Side): Generation {
    const generation = this.#alive(side);
    const { label, manifest, phase } = generation;
    const refuse = (code: 'EINVAL' | 'ESHUTDOWN', why: string): NetError => new NetError(code, `${label} ${why}`, { module: label });
    if (!manifest.provides.some((own) => own.key === token.key)) {
      throw refuse('EINVAL', `publishes ${token.name} but does not say so: add it to provides`);
    }
    if (typeof provider !== 'object' || provider === null) {
      throw refuse('EINVAL', `publishes ${describeValue(provider)} as ${token.name}: it must be an object with its functions`);
    }
    const methods: readonly string[] = (token.sort === 'service' && token.methods) || [];
    const lacking = methods.find((method) => typeof (provider as Record<string, unknown>)[method] !== 'function');
    if (lacking !== undefined) throw refuse('EINVAL', `publishes a ${token.name} without its function ${lacking}`);
    if (side === 'door' && isLeaving(phase)) throw refuse('ESHUTDOWN', `is leaving, so it opens no new door (${token.name})`);
    return generation;
  }
}
