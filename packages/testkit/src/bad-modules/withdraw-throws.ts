import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'withdraw-throws' })
export class WithdrawThrows extends EchoModule {
  withdraw(): void {
    throw sin();
  }
}
