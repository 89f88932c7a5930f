import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'uses-math-random' })
export class UsesMathRandom extends EchoModule {
  protected override delayUs(): number {
    return 1 + Math.floor(Math.random() * 1000);
  }
}
