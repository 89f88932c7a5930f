import type { NetError } from '@softnet/contract';
import type { Session } from './session.ts';

/** One command of the prompt, as data. */
export interface SessionCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** What stands after the name, as commander reads it: '<name> [source]'. */
  readonly parameters: string;
  /** Each as commander reads it, with what it does, and what its argument may be: ['--deadline <ms>', '…']. */
  readonly options?: readonly (readonly [flags: string, text: string, values?: readonly string[]])[];
  /** Other spellings of options: `--driver` for `-i`. Not listed in the usage line. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** One sentence for `help`. */
  readonly summary: string;
  /** More for `help NAME`: lines. */
  readonly details?: readonly string[];
  /** What a word at its `index` (0: the first after the name, options aside) that begins with `end` may become, behind those `before`. */
  completes?(session: Session, index: number, end: string, before: readonly string[]): readonly string[];
  run(session: Session, given: Given): void | Promise<void>;
  /** What to type here, where an error of `run` speaks of the library's calls, or cannot know what is meant. */
  advice?(session: Session, given: Given, error: NetError): string | undefined;
}

/** What the user gave with a command. */
export interface Given {
  readonly words: readonly string[];
  /** By name in camel case: '--dry-run' is `dryRun`. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** `rmmod [--dry-run] [--deadline <ms>] <name>`: the line that shows how a command is used. */
export function usageOf({ name, options = [], parameters }: SessionCommand): string {
  return [name, ...options.map(([flags]) => `[${flags}]`), parameters].filter((part) => part !== '').join(' ');
}

/** Does the command answer to this word? */
export function answersTo(command: SessionCommand, word: string): boolean {
  return command.name === word || (command.aliases ?? []).includes(word);
}
