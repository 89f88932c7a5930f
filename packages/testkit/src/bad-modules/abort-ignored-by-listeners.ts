import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'abort-ignored-by-listeners' })
export class AbortIgnoredByListeners extends EchoModule {
  protected override resumeBell(): void {
    // It stays silent.
  }
}
