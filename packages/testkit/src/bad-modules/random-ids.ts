import type { ObjectSpec } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

/** Ids that change nothing but what lists of holders say. */
@Module({ ...echoManifest, name: 'random-ids' })
export class RandomIds extends EchoModule {
  readonly #ids = new WeakMap<EchoLine, number>();

  protected override lineSpec(): ObjectSpec<EchoLine> {
    return { ...super.lineSpec(), describe: (line) => `line ${this.#ids.get(line)}` };
  }

  protected override makeLine(): EchoLine {
    const line = super.makeLine();
    this.#ids.set(line, Math.random());
    return line;
  }
}
