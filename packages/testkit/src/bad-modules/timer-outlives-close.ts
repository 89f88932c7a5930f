import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'timer-outlives-close' })
export class TimerOutlivesClose extends EchoModule {
  protected override closeLine(line: EchoLine): void {
    // What is yet to be said rings on.
    this.lines.release(line);
  }
}
