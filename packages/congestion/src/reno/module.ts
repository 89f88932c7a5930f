import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { CongestionControl, Module } from '@softnet/contract';
import { declareUses } from '../congestion-uses.ts';
import { defineSlowStartLimit } from '../slow-start-limit.ts';
import { Reno } from './reno.ts';

/** Reno for whoever sends: TCP, DCCP's CCID2. Senders that have it hold it up. */
@Module({
  name: 'reno',
  version: '1.0.0',
  summary: 'congestion control by Reno (RFC 5681)',
  provides: [CongestionControl],
})
export class RenoModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reno: Reno = new Reno(
      declareUses(ctx, () => reno),
      defineSlowStartLimit(ctx, 'reno'),
    );
    ctx.contribute(CongestionControl, reno, 'door');
  }
}
