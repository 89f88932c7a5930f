import type { SettingRow } from '@softnet/kernel';
import type { SessionCommand } from '../session/session-command.ts';
import type { Column } from '../text/table.ts';
import { table } from '../text/table.ts';

const COLUMNS: readonly Column[] = Object.freeze([
  { title: 'SETTING' },
  { title: 'VALUE' },
  { title: 'MODULE' },
  { title: 'WHAT', cuts: true },
]);

export const sysctl: SessionCommand = Object.freeze({
  name: 'sysctl',
  parameters: '[assignment...]',
  summary: 'list the settings (all, or those whose names begin so), or set one: sysctl NAME=VALUE',
  completes: (session) => session.kernel.sysctl.list().map(({ name }) => name),
  run({ kernel, output }, { words }) {
    const text = words.join(' ');
    const equals = text.indexOf('=');
    if (equals >= 0) {
      const name = text.slice(0, equals).trim();
      kernel.sysctl.set(name, text.slice(equals + 1).trim());
      output.print(`${name} = ${rowsOf(kernel.sysctl.list(name))[0]?.[1] ?? ''}`);
      return;
    }
    const rows = kernel.sysctl.list(text);
    // Asks for what is not there, so that the kernel says what is near.
    if (rows.length === 0 && text !== '') kernel.sysctl.get(text);
    for (const line of table(COLUMNS, rowsOf(rows), output)) output.print(line);
  },
} satisfies SessionCommand);

function rowsOf(rows: readonly SettingRow[]): string[][] {
  return rows.map(({ name, text, module, summary }) => [name, text, module, summary]);
}
