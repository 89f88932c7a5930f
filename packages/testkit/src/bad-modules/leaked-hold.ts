import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'leaked-hold' })
export class LeakedHold extends EchoModule {
  protected override closeLine(line: EchoLine): void {
    // The user thinks that it is closed.
    line.timer.cancel();
  }
}
