import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'uses-set-timeout' })
export class UsesSetTimeout extends EchoModule {
  protected override expect(line: EchoLine): void {
    if (line.said.length > 0) setTimeout(() => this.poll.raise(), 1);
  }
}
