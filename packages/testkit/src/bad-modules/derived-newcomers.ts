import { Module } from '@softnet/contract';
import type { EchoLine, EchoUser } from './echo.ts';
import { Echo, EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'derived-newcomers' })
export class DerivedNewcomers extends EchoModule {
  protected override publish(echo: Echo): void {
    this.ctx.corridor(Echo, echo);
  }

  protected override open(user: EchoUser): EchoLine {
    const [first] = this.lines;
    if (this.lines.open || first === undefined) return super.open(user);
    // Somebody new, passed off as somebody's companion.
    const line = this.makeLine();
    line.user = user;
    this.lines.derive(line, first, 'echo.smuggle');
    return line;
  }
}
