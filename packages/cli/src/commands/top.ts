import type { Kernel, ModuleInfo } from '@softnet/kernel';
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
  summary: 'watch modules, holders and rates until a key is pressed; what is busy stands first',
  async run(session, { signal }) {
    const { output } = session;
    const draw = drawing(session);
    if (output.live !== undefined) await output.live.show(draw, EVERY_MS, signal);
    else for (const line of draw(Number.POSITIVE_INFINITY)) output.print(line);
  },
} satisfies SessionCommand);

/** Draws one screen after another; each shows the rates since the one before. All kernels where there is room, else the one in use. */
function drawing(session: Session): (rows: number) => string[] {
  const { kernels, output } = session;
  const before = new Map(kernels.map((kernel) => [kernel, readRates(kernel)]));
  return (rows) => {
    const views = kernels.map((kernel) => {
      const now = readRates(kernel);
      const old = before.get(kernel) ?? now;
      before.set(kernel, now);
      return {
        kernel,
        head: cut(headOf(kernel), output.width),
        modules: moduleTable(busyFirst(kernel.modules()), output),
        rates: drawRates(old, now, output),
      };
    });
    const whole = views.flatMap(({ head, modules, rates }, index) => [...(index === 0 ? [] : ['']), head, ...modules, ...rates]);
    if (whole.length <= rows) return whole;
    const used = views.find(({ kernel }) => kernel === session.kernel) ?? views[0]!;
    const others = views.filter((view) => view !== used).map(({ head }) => head);
    const room = rows - 1 - others.length;
    const modules = shorten(used.modules, Math.max(Math.ceil(room / 2), room - used.rates.length));
    return [used.head, ...modules, ...shorten(used.rates, room - modules.length), ...others].slice(0, rows);
  };
}

/** What leaves, then what is held most, so that it is seen where there is not room for all. */
function busyFirst(modules: readonly ModuleInfo[]): ModuleInfo[] {
  const rank = ({ state, usage }: ModuleInfo): number => (state === 'live' ? usage.holds : Number.MAX_SAFE_INTEGER);
  return [...modules].sort((a, b) => rank(b) - rank(a));
}

/** As many lines as there is room for; the last says how many more there are. */
function shorten(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const shown = lines.slice(0, Math.max(room - 1, 0));
  return [...shown, `... ${lines.length - shown.length} more`].slice(0, Math.max(room, 0));
}

function headOf(kernel: Kernel): string {
  const held = kernel.holders().reduce((sum, holder) => sum + holder.count, 0);
  const seconds = (kernel.clock.nowUs / 1e6).toFixed(1);
  return `kernel ${kernel.name}: up ${seconds} s, ${count(kernel.modules().length, 'module')}, ${count(held, 'hold')}`;
}
