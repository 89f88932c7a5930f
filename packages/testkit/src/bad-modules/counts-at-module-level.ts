import type { ObjectSpec } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

/** Numbers its lines on from where the last kernel of the process stopped. */
@Module({ ...echoManifest, name: 'counts-at-module-level' })
export class CountsAtModuleLevel extends EchoModule {
  readonly #numbers = new WeakMap<EchoLine, number>();

  protected override lineSpec(): ObjectSpec<EchoLine> {
    return { ...super.lineSpec(), describe: (line) => `line ${this.#numbers.get(line)}` };
  }

  protected override makeLine(): EchoLine {
    const shared = CountsAtModuleLevel as { made?: number };
    shared.made = (shared.made ?? 0) + 1;
    const line = super.makeLine();
    this.#numbers.set(line, shared.made);
    return line;
  }
}
