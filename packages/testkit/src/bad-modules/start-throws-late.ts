import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'start-throws-late' })
export class StartThrowsLate extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    throw sin();
  }
}
