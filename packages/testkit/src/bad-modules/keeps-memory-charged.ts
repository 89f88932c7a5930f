import type { MemoryAccount, ModuleContext } from '@softnet/contract';
import { MemoryAccounts, Module, one } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'keeps-memory-charged', requires: [one(MemoryAccounts)] })
export class KeepsMemoryCharged extends EchoModule {
  protected account!: MemoryAccount;

  override start(ctx: ModuleContext): void | Promise<void> {
    this.account = ctx.port(MemoryAccounts).current.open(ctx.name);
    return super.start(ctx);
  }

  protected override say(line: EchoLine, bytes: Uint8Array): void {
    // What has waited goes, and nobody takes it off.
    this.account.add(bytes.length);
    super.say(line, bytes);
  }
}
