import { Command, CommanderError } from 'commander';
import { UsageError } from '../usage-error.ts';
import type { Given, SessionCommand } from './session-command.ts';
import { usageOf } from './session-command.ts';

/**
 * Reads the words after a command's name.
 * @throws UsageError for options and words that it does not take.
 */
export function parseGiven(command: SessionCommand, words: readonly string[], signal: AbortSignal): Given {
  let given: Given = { words: [], options: {}, signal };
  const parser = new Command(command.name)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => {
      given = { words: parser.args, options: parser.opts(), signal };
    });
  if (command.parameters !== '') parser.arguments(command.parameters);
  for (const [flags, text] of command.options ?? []) parser.option(flags, text);
  try {
    parser.parse(spelt(command, words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(`${plainSentence(error.message)}. Usage: ${usageOf(command)}; 'help ${command.name}' says more`);
  }
  return given;
}

/** Each option as the command has it. */
function spelt({ spellings = {} }: SessionCommand, words: readonly string[]): string[] {
  return words.map((word) => (Object.hasOwn(spellings, word) ? spellings[word]! : word));
}

/** Commander's message in one line, without its 'error: '. */
export function plainSentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
