import type { SessionCommand } from '../session/session-command.ts';
import { usageOf } from '../session/session-command.ts';
import { wrap } from '../text/wrap.ts';

export const help: SessionCommand = Object.freeze({
  name: 'help',
  aliases: ['?'],
  parameters: '[command]',
  summary: 'list the commands, or say more of one',
  completes: ({ commands }) => commands.map(({ name }) => name),
  run(session, { words: [name] }) {
    const { output, commands } = session;
    if (name !== undefined) {
      for (const line of pageOf(session.find(name), output.width)) output.print(line);
      return;
    }
    const width = Math.max(...commands.map((command) => command.name.length));
    for (const command of commands) {
      const line = `${command.name.padEnd(width)}  ${command.summary}`;
      for (const each of wrap(line, output.width, ' '.repeat(width + 2))) output.print(each);
    }
    output.print("'help COMMAND' says more. Tab completes; Ctrl-C clears the line, calls off what waits, or leaves.");
  },
} satisfies SessionCommand);

function pageOf(command: SessionCommand, columns: number): string[] {
  const { summary, aliases = [], options = [], details = [] } = command;
  const width = Math.max(0, ...options.map(([flags]) => flags.length));
  return [
    ...wrap(usageOf(command), columns, '    '),
    ...wrap(`  ${summary}`, columns, '  '),
    ...(aliases.length > 0 ? [`  also: ${aliases.join(', ')}`] : []),
    ...options.flatMap(([flags, text]) => wrap(`  ${flags.padEnd(width)}  ${text}`, columns, ' '.repeat(width + 4))),
    ...details.flatMap((line) => wrap(`  ${line}`, columns, '    ')),
  ];
}
