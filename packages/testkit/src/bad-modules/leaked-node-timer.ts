import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'leaked-node-timer' })
export class LeakedNodeTimer extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    setTimeout(() => undefined, 1500);
  }
}
