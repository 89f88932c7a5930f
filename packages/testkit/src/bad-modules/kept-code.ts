import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'kept-code' })
export default class KeptCode extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    // In something that outlives it.
    Object.defineProperty(Reflect, Symbol('echo'), { value: () => this.ctx });
  }
}
