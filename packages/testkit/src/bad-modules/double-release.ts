import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'double-release' })
export class DoubleRelease extends EchoModule {
  protected override closeLine(line: EchoLine): void {
    super.closeLine(line);
    this.lines.release(line);
  }
}
