import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'leaked-global' })
export class LeakedGlobal extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    Object.assign(globalThis, { echoWasHere: true });
  }
}
