import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'leaked-timer' })
export class LeakedTimer extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    ctx.timer(() => undefined, undefined, 'forgotten').arm(3_600_000_000);
  }
}
