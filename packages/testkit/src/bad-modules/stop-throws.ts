import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'stop-throws' })
export class StopThrows extends EchoModule {
  stop(): void {
    throw sin();
  }
}
