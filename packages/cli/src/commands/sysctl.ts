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
  options: [
    ['-a', 'all of them, as without a name'],
    ['-n', 'values only'],
    ['-w', 'sets, as it does without'],
  ],
  summary: 'list the settings (all, or those whose names begin so), or set one: sysctl NAME=VALUE',
  completes: (session) => session.kernel.sysctl.list().map(({ name }) => name),
  run({ kernel, output }, { words, options }) {
    const text = words.join(' ');
    const equals = text.indexOf('=');
    if (equals >= 0) {
      const name = dotted(text.slice(0, equals).trim());
      kernel.sysctl.set(name, text.slice(equals + 1).trim());
      output.print(`${name} = ${rowsOf(kernel.sysctl.list(name))[0]?.[1] ?? ''}`);
      return;
    }
    const begin = dotted(text);
    const rows = kernel.sysctl.list(begin);
    // Asks for what is not there, so that the kernel says what is near.
    if (rows.length === 0 && text !== '') kernel.sysctl.get(begin);
    if (options.n === true) {
      for (const row of rows) output.print(row.text);
      return;
    }
    for (const line of table(COLUMNS, rowsOf(rows), output)) output.print(line);
  },
} satisfies SessionCommand);

/** 'net/ipv4/conf/eth0.5/rp_filter' is 'net.ipv4.conf.eth0/5.rp_filter': what stands first is what separates, as with procps. */
function dotted(name: string): string {
  return /^[^.]*\//.test(name) ? name.replace(/[./]/g, (sign) => (sign === '/' ? '.' : '/')) : name;
}

function rowsOf(rows: readonly SettingRow[]): string[][] {
  return rows.map(({ name, text, module, summary }) => [name, text, module, summary]);
}
