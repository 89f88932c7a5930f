import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'releases-anothers' })
export class ReleasesAnothers extends EchoModule {
  protected override closeLine(line: EchoLine): void {
    // A line is no bell.
    this.bells.release(line as never);
    super.closeLine(line);
  }
}
