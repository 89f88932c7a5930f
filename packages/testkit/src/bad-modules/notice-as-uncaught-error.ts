import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'notice-as-uncaught-error' })
export class NoticeAsUncaughtError extends EchoModule {
  withdraw(): void {
    // As an 'error' event to which nobody listens.
    queueMicrotask(() => {
      throw sin();
    });
  }
}
