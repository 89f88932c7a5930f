import type { Frozen } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'thaw-corrupts-bytes' })
export class ThawCorruptsBytes extends EchoModule {
  protected override thawLine(frozen: Frozen): EchoLine {
    const line = super.thawLine(frozen);
    for (const { bytes } of line.said) bytes[0] = (bytes[0] ?? 0) ^ 1;
    return line;
  }
}
