import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'abort-throws' })
export class AbortThrows extends EchoModule {
  abort(): void {
    throw sin();
  }
}
