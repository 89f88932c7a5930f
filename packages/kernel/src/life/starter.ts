import type { ModuleClass } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { Composition } from '../compose/composition.ts';
import type { CheckedManifest } from '../load/manifest-check.ts';
import { Generation } from './generation.ts';
import { HandOver } from './hand-over.ts';
import { callHook } from './hook-call.ts';
import { Context } from './module-context.ts';
import type { Parts } from './parts.ts';
import type { Roster } from './roster.ts';

/** Brings generations up to the point at which they may go live. */
export class Starter {
  readonly #parts: Parts;
  readonly #roster: Roster;
  readonly #composition: Composition;
  #owners = 0;

  constructor(parts: Parts, roster: Roster, composition: Composition) {
    this.#parts = parts;
    this.#roster = roster;
    this.#composition = composition;
  }

  /**
   * Makes a generation and runs its `start`; all that it publishes stays staged.
   * @throws NetError naming the module when start throws, does not settle, or publishes less than was promised. Nothing is left.
   */
  async start(moduleClass: ModuleClass, manifest: CheckedManifest): Promise<Generation> {
    this.#refuseUnreal(manifest);
    const { name } = manifest;
    const generation = new Generation(name, this.#roster.nextNumber(name), ++this.#owners, manifest, this.#parts);
    this.#roster.add(generation);
    const unmet = this.#roster.dependence.unmet(generation);
    if (unmet !== undefined) throw this.#giveUp(generation, new NetError('ESHUTDOWN', unmet));
    const context = new Context(generation, this.#parts);
    const failure = await callHook(
      generation.label,
      'start',
      () => {
        generation.module = this.#composition.instantiate(moduleClass);
        return generation.module.start(context);
      },
      this.#parts.alarm,
      this.#parts.hookDeadlineMs,
    );
    if (failure !== undefined) {
      generation.faulted('start', failure);
      throw this.#giveUp(generation, failure);
    }
    const lack = lackingProvision(generation);
    if (lack !== undefined) throw await this.giveUpStarted(generation, lack);
    return generation;
  }

  /** Start is over: everything it published becomes visible, if what it requires is still there. */
  async goLive(generation: Generation): Promise<void> {
    const lack = this.#roster.dependence.unmet(generation);
    if (lack !== undefined)
      throw await this.giveUpStarted(generation, new NetError('ESHUTDOWN', `${lack} (it left while ${generation.label} was starting)`));
    const heirlooms = this.#roster.all
      .filter((older) => isLeft(older, generation))
      .map((older) => new HandOver(older, generation, 'beside'));
    try {
      for (const each of heirlooms) each.prepare();
    } catch (error) {
      throw await this.giveUpStarted(generation, error as Error);
    }
    generation.goLive();
    for (const each of heirlooms) each.complete();
    for (const each of heirlooms) each.tell();
  }

  /** Takes back a generation whose start is over: it may have opened what only its stop can close. Returns the error to throw. */
  async giveUpStarted(generation: Generation, cause: Error): Promise<NetError> {
    const { module, label } = generation;
    const failure = await callHook(label, 'stop', () => module?.stop?.(), this.#parts.alarm, this.#parts.hookDeadlineMs);
    if (failure !== undefined) generation.faulted('stop', failure);
    return this.#giveUp(generation, cause);
  }

  /** Takes back all that a generation did in its start. Returns the error to throw. */
  #giveUp(generation: Generation, cause: Error): NetError {
    generation.abandon();
    this.#roster.remove(generation);
    const code = cause instanceof NetError ? cause.code : 'EIO';
    const why = cause.message.replace(`${code}: `, '').replace(`${generation.label}: `, '');
    return new NetError(code, `${generation.label} was not loaded: ${why}`, { syscall: 'load', module: generation.label, cause });
  }

  #refuseUnreal(manifest: CheckedManifest): void {
    if (!manifest.realTime || !this.#parts.executive.clock.virtual) return;
    throw new NetError(
      'EOPNOTSUPP',
      `${manifest.name} drives a real device, and this World's time is virtual: load it in a World with clock 'real'`,
      {
        syscall: 'load',
        module: manifest.name,
      },
    );
  }
}

/** An older generation that leaves, beside which this one is loaded: what it has for those inside can be taken over. */
function isLeft(older: Generation, { name, label }: Generation): boolean {
  return older.name === name && older.label !== label && (older.phase === 'withdrawing' || older.phase === 'draining');
}

/** A service that the manifest promises and start did not publish. */
function lackingProvision({ label, manifest, publications }: Generation): NetError | undefined {
  const published = [...publications.names('door'), ...publications.names('corridor')];
  const lack = manifest.provides.find((token) => token.sort === 'service' && !published.includes(token.name));
  if (lack === undefined) return undefined;
  return new NetError(
    'EINVAL',
    `it says that it provides ${lack.name}, but its start published no such service: call ctx.door or ctx.corridor`,
    {
      module: label,
    },
  );
}
