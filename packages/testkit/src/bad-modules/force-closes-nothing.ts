import type { ObjectSpec } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'force-closes-nothing' })
export class ForceClosesNothing extends EchoModule {
  protected override lineSpec(): ObjectSpec<EchoLine> {
    return { ...super.lineSpec(), close: () => undefined };
  }
}
