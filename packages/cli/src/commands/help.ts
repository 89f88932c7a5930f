import type { SessionCommand } from '../session/session-command.ts';
import { usageOf } from '../session/session-command.ts';

export const help: SessionCommand = Object.freeze({
  name: 'help',
  aliases: ['?'],
  parameters: '[command]',
  summary: 'list the commands, or say more of one',
  completes: ({ commands }) => commands.map(({ name }) => name),
  run(session, { words: [name] }) {
    const { output, commands } = session;
    if (name !== undefined) {
      for (const line of pageOf(session.find(name))) output.print(line);
      return;
    }
    const width = Math.max(...commands.map((command) => command.name.length));
    for (const command of commands) output.print(`${command.name.padEnd(width)}  ${command.summary}`);
    output.print("'help COMMAND' says more. Tab completes names; Ctrl-C calls off what waits, or leaves.");
  },
} satisfies SessionCommand);

function pageOf(command: SessionCommand): string[] {
  const { summary, aliases = [], options = [], details = [] } = command;
  const width = Math.max(0, ...options.map(([flags]) => flags.length));
  return [
    usageOf(command),
    `  ${summary}`,
    ...(aliases.length > 0 ? [`  also: ${aliases.join(', ')}`] : []),
    ...options.map(([flags, text]) => `  ${flags.padEnd(width)}  ${text}`),
    ...details.map((line) => `  ${line}`),
  ];
}
