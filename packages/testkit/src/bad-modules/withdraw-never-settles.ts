import { Module } from '@softnet/contract';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'withdraw-never-settles' })
export class WithdrawNeverSettles extends EchoModule {
  withdraw(): Promise<void> {
    return new Promise(() => undefined);
  }
}
