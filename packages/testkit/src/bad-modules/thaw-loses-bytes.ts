import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'thaw-loses-bytes' })
export class ThawLosesBytes extends EchoModule {
  protected override thawLine(): EchoLine {
    return this.makeLine();
  }
}
