import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { CongestionControl, Module } from '@softnet/contract';
import { declareUses } from '../congestion-uses.ts';
import { defineSlowStartLimit } from '../slow-start-limit.ts';
import { Cubic } from './cubic.ts';

/** CUBIC for whoever sends: TCP, DCCP's CCID2. Senders that have it hold it up. */
@Module({
  name: 'cubic',
  version: '1.0.0',
  summary: 'congestion control by CUBIC (RFC 9438)',
  provides: [CongestionControl],
})
export class CubicModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const cubic: Cubic = new Cubic(
      declareUses(ctx, () => cubic),
      defineSlowStartLimit(ctx, 'cubic'),
    );
    ctx.contribute(CongestionControl, cubic, 'door');
  }
}
