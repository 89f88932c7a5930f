import { Module } from '@softnet/contract';
import type { EchoLine, EchoUser } from './echo.ts';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'abort-ignored-by-doors' })
export class AbortIgnoredByDoors extends EchoModule {
  #shut = false;

  withdraw(): void {
    this.#shut = true;
  }

  protected override open(user: EchoUser): EchoLine {
    if (this.#shut) throw sin();
    return super.open(user);
  }
}
