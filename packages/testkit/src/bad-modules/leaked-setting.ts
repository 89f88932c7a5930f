import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'leaked-setting' })
export class LeakedSetting extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    // Outside of ctx.sysctl, where nobody takes it back.
    process.env.ECHO_DELAY_US = '500';
  }
}
