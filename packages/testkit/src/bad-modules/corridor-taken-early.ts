import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'corridor-taken-early' })
export class CorridorTakenEarly extends EchoModule {
  withdraw(): void {
    // The people inside are still talking.
    for (const line of this.lines) line.close();
  }
}
