import type { Kernel } from '@softnet/kernel';
import type { Session } from '../session/session.ts';
import type { SessionCommand } from '../session/session-command.ts';
import { moduleTable } from '../text/modules.ts';
import { drawRates, readRates } from '../text/rates.ts';

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
    const share = Math.floor(rows / kernels.length);
    return kernels.flatMap((kernel) => {
      const now = readRates(kernel);
      const old = before.get(kernel) ?? now;
      before.set(kernel, now);
      const lines = [headOf(kernel), ...moduleTable(kernel.modules(), output), ...drawRates(old, now, output)];
      return [...lines.slice(0, Math.max(share - 1, 1)), ''];
    });
  };
}

function headOf(kernel: Kernel): string {
  const held = kernel.holders().reduce((sum, holder) => sum + holder.count, 0);
  return `kernel ${kernel.name}: up ${(kernel.clock.nowUs / 1e6).toFixed(1)} s, ${kernel.modules().length} modules, ${held} holds`;
}
