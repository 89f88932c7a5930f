import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'unhandled-rejection' })
export class UnhandledRejection extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    void Promise.reject(sin());
  }
}
