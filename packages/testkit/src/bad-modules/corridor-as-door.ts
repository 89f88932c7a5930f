import type { ModuleContext } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

/** For those inside, and so a corridor. */
interface EchoPost {
  say(line: EchoLine, bytes: Uint8Array): void;
}
const EchoPost = defineService<EchoPost>({ name: 'EchoPost', version: '1.0.0', absent: () => ({ say: () => undefined }) });

@Module({ ...echoManifest, name: 'corridor-as-door', provides: [...(echoManifest.provides ?? []), EchoPost] })
export class CorridorAsDoor extends EchoModule {
  override start(ctx: ModuleContext): void {
    void super.start(ctx);
    ctx.door(EchoPost, { say: (line, bytes) => super.say(line, bytes) });
  }

  protected override say(line: EchoLine, bytes: Uint8Array): void {
    this.ctx.port(EchoPost).current.say(line, bytes);
  }
}
