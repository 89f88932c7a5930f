import type { Session } from './session.ts';
import { answersTo } from './session-command.ts';

/** What the last word of a line may become: a command, an option, or what the command says. */
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
  if (end.startsWith('-')) return (command.options ?? []).map(([flags]) => `${flags.split(' ')[0]} `);
  const index = rest.filter((word) => !word.startsWith('-')).length;
  return [...(command.completes?.(session, index) ?? [])];
}
