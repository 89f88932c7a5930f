import type { Session } from './session.ts';
import type { SessionCommand } from './session-command.ts';
import { answersTo } from './session-command.ts';

/** What the last word of a line may become: a command, an option or its argument, or what the command says. */
export function completeLine(session: Session, line: string): [candidates: string[], end: string] {
  const words = line.trimStart().split(/\s+/);
  const end = words.pop() ?? '';
  return [candidates(session, words, end).filter((candidate) => candidate.startsWith(end)), end];
}

function candidates(session: Session, before: readonly string[], end: string): string[] {
  const [name, ...rest] = before;
  if (name === undefined) return session.commands.map((command) => `${command.name} `);
  const command = session.commands.find((each) => answersTo(each, name));
  if (command === undefined) return [];
  if (takesArgument(command, rest.at(-1))) return [...(optionOf(command, rest.at(-1))?.[2] ?? [])];
  if (end.startsWith('-')) return (command.options ?? []).map(([flags]) => `${flags.split(' ')[0]} `);
  const given = rest.filter((word, at) => !word.startsWith('-') && !takesArgument(command, rest[at - 1]));
  return takesWord(command, given.length) ? [...(command.completes?.(session, given.length, end, given) ?? [])] : [];
}

function optionOf({ options = [] }: SessionCommand, word: string | undefined) {
  return options.find(([flags]) => flags.split(' ')[0] === word);
}

/** Is the word an option whose argument comes next? */
function takesArgument(command: SessionCommand, word: string | undefined): boolean {
  return optionOf(command, word)?.[0].includes('<') === true;
}

/** Has the command a parameter at this index? */
function takesWord({ parameters }: SessionCommand, index: number): boolean {
  return parameters.includes('...') || index < parameters.split(' ').length;
}
