import type { Kernel, ModuleSource } from '@softnet/kernel';
import { errorLine } from '../error-line.ts';
import { splitWords } from '../text/words.ts';
import { UsageError } from '../usage-error.ts';
import { completeLine } from './complete-line.ts';
import type { Output } from './output.ts';
import { parseGiven } from './parse-given.ts';
import type { SessionCommand } from './session-command.ts';
import { answersTo } from './session-command.ts';

/** What a session works with. */
export interface SessionOptions {
  /** The first is the one in use at the start. At least one. */
  readonly kernels: readonly Kernel[];
  readonly commands: readonly SessionCommand[];
  /** Modules that have a name at the prompt, beside the kernels' own offers: other builds, say. */
  readonly catalogue?: Readonly<Record<string, ModuleSource>>;
  readonly output: Output;
  /** Errors with their stacks. */
  readonly debug?: boolean;
}

/** Somebody who types commands: which kernel they go to, and where answers are written. */
export class Session {
  readonly kernels: readonly Kernel[];
  readonly commands: readonly SessionCommand[];
  readonly catalogue: Readonly<Record<string, ModuleSource>>;
  readonly output: Output;
  /** The kernel that commands go to. */
  kernel: Kernel;
  /** Set by `quit`. */
  over = false;
  readonly #debug: boolean;
  #running: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.kernels = options.kernels;
    this.commands = options.commands;
    this.catalogue = options.catalogue ?? {};
    this.output = options.output;
    this.#debug = options.debug ?? false;
    this.kernel = options.kernels[0]!;
  }

  /** Runs one line; what goes wrong is printed. Resolves with false then. */
  async execute(line: string): Promise<boolean> {
    const running = new AbortController();
    this.#running = running;
    try {
      const [name, ...words] = splitWords(line);
      if (name === undefined || name.startsWith('#')) return true;
      const command = this.find(name);
      await command.run(this, parseGiven(command, words, running.signal));
      return true;
    } catch (error) {
      this.output.print(this.describe(error));
      return false;
    } finally {
      this.output.status('');
      this.#running = undefined;
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
    if (found === undefined) throw new UsageError(`unknown command '${name}': 'help' lists those that there are`);
    return found;
  }

  /** For readline: what the end of the line may become, and that end. */
  complete(line: string): [candidates: string[], end: string] {
    return completeLine(this, line);
  }

  /** An error as it is shown here. */
  describe(error: unknown): string {
    return errorLine(error, this.#debug);
  }

  /** Names of what is loaded, the newest generation of each by its bare name. */
  loadedNames(): string[] {
    return [...new Set(this.kernel.modules().map(({ name }) => name))];
  }

  /** Names that can be loaded now or later. */
  knownNames(): string[] {
    return [...new Set([...this.kernel.offered, ...Object.keys(this.catalogue)])];
  }
}
