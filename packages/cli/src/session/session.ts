import { NetError } from '@softnet/contract';
import type { Kernel, ModuleSource } from '@softnet/kernel';
import { CapturesRunning } from '../capture/captures-running.ts';
import { errorLine } from '../error-line.ts';
import { splitWords } from '../text/words.ts';
import { UsageError } from '../usage-error.ts';
import { ForwardsRunning } from '../web/forwards-running.ts';
import { completeLine } from './complete-line.ts';
import { calledHere } from './linux-words.ts';
import type { Output } from './output.ts';
import { parseGiven } from './parse-given.ts';
import type { Given, SessionCommand } from './session-command.ts';
import { answersTo } from './session-command.ts';
import type { StateEntry } from './state-log.ts';
import { StateLog } from './state-log.ts';

/** What a session works with. */
export interface SessionOptions {
  /** The first is the one in use at the start. At least one. */
  readonly kernels: readonly Kernel[];
  readonly commands: readonly SessionCommand[];
  /** Modules that have a name at the prompt, beside the kernels' own offers: other builds, say. */
  readonly catalogue?: Readonly<Record<string, ModuleSource>>;
  readonly output: Output;
  /** Ports of this machine that are forwarded already. */
  readonly forwards?: ForwardsRunning;
  /** Errors with their stacks. */
  readonly debug?: boolean;
}

/** Somebody who types commands: which kernel they go to, and where answers are written. */
export class Session {
  readonly kernels: readonly Kernel[];
  readonly commands: readonly SessionCommand[];
  readonly catalogue: Readonly<Record<string, ModuleSource>>;
  readonly output: Output;
  readonly captures = new CapturesRunning();
  readonly forwards: ForwardsRunning;
  /** The kernel that commands go to. */
  kernel: Kernel;
  /** Set by `quit`. */
  over = false;
  readonly #debug: boolean;
  readonly #states: ReadonlyMap<Kernel, StateLog>;
  /** By kernel and module: the word that finds the build that was put in last. */
  readonly #builds = new Map<string, string>();
  #running: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.kernels = options.kernels;
    this.commands = options.commands;
    this.catalogue = options.catalogue ?? {};
    this.output = options.output;
    this.forwards = options.forwards ?? new ForwardsRunning();
    this.#debug = options.debug ?? false;
    this.kernel = options.kernels[0]!;
    this.#states = new Map(options.kernels.map((kernel) => [kernel, new StateLog(kernel)]));
  }

  /** Runs one line; what goes wrong is printed. Resolves with false then. */
  async execute(line: string): Promise<boolean> {
    const running = new AbortController();
    this.#running = running;
    try {
      const [name, ...words] = splitWords(line);
      if (name === undefined || name.startsWith('#')) return true;
      const command = this.find(name);
      return await this.#run(command, parseGiven(command, words, running.signal));
    } catch (error) {
      this.output.print(this.describe(error));
      return false;
    } finally {
      this.output.status('');
      this.#running = undefined;
    }
  }

  async #run(command: SessionCommand, given: Given): Promise<boolean> {
    try {
      await command.run(this, given);
      return true;
    } catch (error) {
      const advice = error instanceof NetError ? command.advice?.(this, given, error) : undefined;
      this.output.print(`${this.describe(error)}${advice === undefined ? '' : ` (here: ${advice})`}`);
      return false;
    }
  }

  /** Calls off what runs now. False when nothing runs, or it was called off before. */
  interrupt(): boolean {
    if (this.#running === undefined || this.#running.signal.aborted) return false;
    this.#running.abort();
    return true;
  }

  /** @throws UsageError when there is no such command. */
  find(name: string): SessionCommand {
    const found = this.commands.find((command) => answersTo(command, name));
    if (found !== undefined) return found;
    const here = calledHere(name);
    throw new UsageError(
      `unknown command '${name}': ${here === undefined ? "'help' lists those that there are" : `what comes nearest here is '${here}'`}`,
    );
  }

  /** For readline: what the end of the line may become, and that end. */
  complete(line: string): [candidates: string[], end: string] {
    return completeLine(this, line);
  }

  /** An error as it is shown here. */
  describe(error: unknown): string {
    return errorLine(error, this.#debug);
  }

  /** Names of what is loaded: each by its bare name, and its generations where there are several, or one is asked for by `end`. */
  loadedNames(end = ''): string[] {
    const names = [...new Set(this.kernel.modules().map(({ name }) => name))];
    const numbered = names.map((name) => this.generationsOf(name)).filter((labels) => labels.length > 1 || end.includes('#'));
    return [...names, ...numbered.flat()];
  }

  /** `name#generation` of each generation that is loaded under a bare name, or of the one that is named so. */
  generationsOf(name: string): string[] {
    const labels = this.kernel.modules().map((module) => ({ name: module.name, label: `${module.name}#${module.generation}` }));
    return labels.filter((each) => each.name === name || each.label === name).map(({ label }) => label);
  }

  /** What became of modules of the kernel in use. */
  states(): readonly StateEntry[] {
    return this.#states.get(this.kernel)?.entries ?? [];
  }

  /** Keeps in mind which build of a module was put into the kernel in use: the word that finds it again. */
  rememberBuild(name: string, build: string): void {
    this.#builds.set(`${this.kernel.name} ${name}`, build);
  }

  /** The word for the build of a module that was put into the kernel in use last. */
  lastBuild(name: string): string | undefined {
    return this.#builds.get(`${this.kernel.name} ${name}`);
  }

  /** Names that can be loaded now or later. */
  knownNames(): string[] {
    return [...new Set([...this.kernel.offered, ...Object.keys(this.catalogue)])];
  }
}
