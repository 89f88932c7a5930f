import type { Frozen } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'freeze-not-plain' })
export class FreezeNotPlain extends EchoModule {
  protected override freezeLine({ said }: EchoLine): Frozen {
    return { version: 1, data: new Map(said.entries()) as never };
  }
}
