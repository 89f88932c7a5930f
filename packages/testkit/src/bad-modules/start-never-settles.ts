import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'start-never-settles' })
export class StartNeverSettles extends EchoModule {
  override start(ctx: ModuleContext): Promise<void> {
    void super.start(ctx);
    return new Promise(() => undefined);
  }
}
