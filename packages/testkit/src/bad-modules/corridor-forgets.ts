import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'corridor-forgets' })
export class CorridorForgets extends EchoModule {
  withdraw(): void {
    // Held they are, but nobody delivers to them any more.
    for (const line of this.lines) line.user = null;
  }
}
