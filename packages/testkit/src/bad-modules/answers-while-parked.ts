import type { ObjectSpec } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoBell } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'answers-while-parked' })
export class AnswersWhileParked extends EchoModule {
  protected override bellSpec(): ObjectSpec<EchoBell> {
    return { ...super.bellSpec(), park: () => undefined };
  }
}
