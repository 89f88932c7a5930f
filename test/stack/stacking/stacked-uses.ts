import type { DstUse, ModuleContext, Objects } from '@softnet/contract';
import { DstUse as Use } from '@softnet/contract';

/** Who goes by a module's dsts or devices: it is waited for, and whoever has one asks the next generation at its next packet. */
export function stackedUses(ctx: ModuleContext, kind: string, describe: (use: DstUse) => string): Objects<DstUse> {
  const uses: Objects<DstUse> = ctx.objects<DstUse>(kind, {
    drain: 'wait',
    close: (use) => uses.release(use),
    ended: (use) => {
      use.dst = null;
    },
    describe,
    freeze: () => ({ version: 1, data: null }),
    thaws: [1],
    thaw: () => new Use(),
  });
  return uses;
}
