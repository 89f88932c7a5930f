import { Module } from '@softnet/contract';
import { EchoModule, echoManifest, sin } from './echo.ts';

@Module({ ...echoManifest, name: 'throws-on-packet-path' })
export class ThrowsOnPacketPath extends EchoModule {
  #packets = 0;

  protected override deliver(budget: number): number {
    if (++this.#packets % 3 === 0) throw sin();
    return super.deliver(budget);
  }
}
