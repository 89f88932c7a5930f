import type { ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'hoards-memory' })
export class HoardsMemory extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    const hoarder = HoardsMemory as { hoard?: unknown[] };
    hoarder.hoard ??= [];
    hoarder.hoard.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
  }
}
