import type { Kernel } from '@softnet/kernel';
import type { Session } from '../session/session.ts';
import type { SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { moduleTable } from '../text/modules.ts';
import { drawRates, readRates } from '../text/rates.ts';
import { cut } from '../text/table.ts';

const EVERY_MS = 1000;

export const top: SessionCommand = Object.freeze({
  name: 'top',
  parameters: '',
  summary: 'watch modules, holders and rates until a key is pressed',
  async run(session, { signal }) {
    const { output } = session;
    const draw = drawing(session);
    if (output.live !== undefined) await output.live.show(draw, EVERY_MS, signal);
    else for (const line of draw(Number.POSITIVE_INFINITY)) output.print(line);
  },
} satisfies SessionCommand);

/** Draws one screen after another; each shows the rates since the one before, and gives each kernel its share of the rows. */
function drawing({ kernels, output }: Session): (rows: number) => string[] {
  const before = new Map(kernels.map((kernel) => [kernel, readRates(kernel)]));
  return (rows) => {
    const share = Math.floor((rows + 1) / kernels.length) - 1;
    const lists = kernels.map((kernel) => {
      const now = readRates(kernel);
      const old = before.get(kernel) ?? now;
      before.set(kernel, now);
      const head = cut(headOf(kernel), output.width);
      return [head, ...moduleTable(kernel.modules(), output), ...drawRates(old, now, output)];
    });
    const fits = lists.reduce((sum, list) => sum + list.length + 1, 0) <= rows + 1;
    return lists.flatMap((list, index) => [...(index === 0 ? [] : ['']), ...(fits ? list : shorten(list, share))]).slice(0, rows);
  };
}

/** As many lines as there is room for; the last says how many more there are. */
function shorten(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const shown = lines.slice(0, Math.max(room - 1, 1));
  return [...shown, `... ${lines.length - shown.length} more`];
}

function headOf(kernel: Kernel): string {
  const held = kernel.holders().reduce((sum, holder) => sum + holder.count, 0);
  const seconds = (kernel.clock.nowUs / 1e6).toFixed(1);
  return `kernel ${kernel.name}: up ${seconds} s, ${count(kernel.modules().length, 'module')}, ${count(held, 'hold')}`;
}
