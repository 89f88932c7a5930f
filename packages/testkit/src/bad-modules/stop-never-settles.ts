import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'stop-never-settles' })
export class StopNeverSettles extends EchoModule {
  stop(): Promise<void> {
    return new Promise(() => undefined);
  }
}
