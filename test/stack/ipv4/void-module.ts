import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Module, VERDICT } from '@softnet/contract';

/** Frees what would leave, and counts it as dropped: `test.void`. */
@Module({ name: 'test-void', version: '1.0.0', provides: [Hook] })
export class VoidModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.void', 'the test is not interested');
    const at = { family: HOOK_FAMILY.NETDEV, point: HOOK_POINT.EGRESS, priority: 0 };
    ctx.contribute(Hook, { name: 'void', ...at, reason, run: () => VERDICT.DROP }, 'door');
  }
}
