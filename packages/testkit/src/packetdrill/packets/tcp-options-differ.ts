import type { HeaderOption } from '@softnet/wire';
import type { TcpOptionSpec } from '../language/packet-spec.ts';
import { printOption } from '../language/print-packet.ts';
import type { Flow } from './flow.ts';
import { optionOf } from './tcp-option-bytes.ts';

/** What options of a sent segment differ in; END only pads. A first time stamp says how the kernel's and the script's belong together. */
export function tcpOptionDifferences(
  live: readonly HeaderOption[],
  spec: readonly TcpOptionSpec[],
  flow: Flow,
  toleranceUs: number,
): string[] {
  const actual = live.map((option) => toScript(optionOf(option), option, flow));
  const expected = spec.filter(({ kind }) => kind !== 'eol');
  const shown = actual.map((option) => (typeof option === 'string' ? option : printOption(option))).join(',');
  const wanted = expected.map(printOption).join(',');
  const isSame =
    actual.length === expected.length &&
    actual.every((option, i) => typeof option !== 'string' && isSameOption(option, expected[i]!, flow, toleranceUs));
  return isSame ? [] : [`the options are <${shown}>, not <${wanted}>`];
}

function toScript(option: TcpOptionSpec | null, { kind }: HeaderOption, flow: Flow): TcpOptionSpec | string {
  if (option === null) return `option ${kind}`;
  if (option.kind !== 'sack') return option;
  return {
    ...option,
    blocks: option.blocks.map(([left, right]) => [(left - flow.remoteBase) >>> 0, (right - flow.remoteBase) >>> 0] as const),
  };
}

function isSameOption(live: TcpOptionSpec, expected: TcpOptionSpec, flow: Flow, toleranceUs: number): boolean {
  if (live.kind !== 'TS' || expected.kind !== 'TS') return printOption(live) === printOption(expected);
  if (live.echo !== expected.echo) return false;
  flow.stampBase ??= (live.value - expected.value) >>> 0;
  const off = (live.value - expected.value - flow.stampBase) | 0;
  return Math.abs(off) * 1000 <= toleranceUs;
}
