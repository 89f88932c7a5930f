import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

/** Ids that neither a list nor the wire shows: nothing differs as yet. */
@Module({ ...echoManifest, name: 'random-unseen' })
export class RandomUnseen extends EchoModule {
  readonly #ids = new WeakMap<EchoLine, number>();

  protected override makeLine(): EchoLine {
    const line = super.makeLine();
    this.#ids.set(line, Math.random());
    return line;
  }
}
