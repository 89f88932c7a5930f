import { Module } from '@softnet/contract';
import type { EchoLine, EchoUser } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'keeps-no-holds' })
export class KeepsNoHolds extends EchoModule {
  readonly #unheld = new Set<EchoLine>();

  protected override open(user: EchoUser): EchoLine {
    const line = this.makeLine();
    line.user = user;
    line.close = () => void this.#unheld.delete(line);
    this.#unheld.add(line);
    return line;
  }

  protected override deliver(): number {
    for (const { said, user } of this.#unheld) for (const { bytes } of said.splice(0)) user?.heard(bytes);
    return 0;
  }
}
