import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'uses-date' })
export class UsesDate extends EchoModule {
  protected override delayUs(): number {
    return 1 + (Date.now() % 1000);
  }
}
