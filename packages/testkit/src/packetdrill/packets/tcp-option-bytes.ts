import type { HeaderOption } from '@softnet/wire';
import { mssOption, sackOption, sackPermittedOption, TCP_OPTION, timestampsOption, windowScaleOption } from '@softnet/wire';
import type { TcpOptionSpec } from '../language/packet-spec.ts';

const MD5 = 19;
const ACCECN_0 = 172;
const ACCECN_1 = 174;
const EXPERIMENT = 254;
/** Of Fast Open before it had a number of its own (RFC 7413 §4.1.1). */
const FAST_OPEN_MAGIC = Object.freeze([0xf9, 0x89] as const);

/** A scripted option as it stands in a header; sequence numbers and stamps are as on the wire already. Null: END, which pads. */
export function bytesOfOption(option: TcpOptionSpec): HeaderOption | null {
  switch (option.kind) {
    case 'eol':
      return null;
    case 'nop':
      return { kind: TCP_OPTION.NOP, data: new Uint8Array(0) };
    case 'mss':
      return mssOption(option.value);
    case 'wscale':
      return windowScaleOption(option.value);
    case 'sackOK':
      return sackPermittedOption();
    case 'sack':
      return sackOption(option.blocks);
    case 'TS':
      return timestampsOption(option.value, option.echo);
    case 'FO':
      return { kind: TCP_OPTION.FAST_OPEN, data: fromHex(option.cookie) };
    case 'FOEXP':
      return { kind: EXPERIMENT, data: Uint8Array.from([...FAST_OPEN_MAGIC, ...fromHex(option.cookie)]) };
    case 'md5':
      return { kind: MD5, data: fromHex(option.digest) };
    case 'ECN':
      return { kind: option.counters[0]![0] === 'e1b' ? ACCECN_1 : ACCECN_0, data: countersOf(option.counters) };
  }
}

function countersOf(counters: readonly (readonly [string, number])[]): Uint8Array {
  return Uint8Array.from(counters.flatMap(([, bytes]) => [(bytes >>> 16) & 0xff, (bytes >>> 8) & 0xff, bytes & 0xff]));
}

/** A received option in the words of scripts. Null: there are none for it, or it is malformed. */
export function optionOf({ kind, data }: HeaderOption): TcpOptionSpec | null {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (kind === TCP_OPTION.NOP) return { kind: 'nop' };
  if (kind === TCP_OPTION.MSS && data.length === 2) return { kind: 'mss', value: view.getUint16(0) };
  if (kind === TCP_OPTION.WINDOW_SCALE && data.length === 1) return { kind: 'wscale', value: data[0]! };
  if (kind === TCP_OPTION.SACK_PERMITTED && data.length === 0) return { kind: 'sackOK' };
  if (kind === TCP_OPTION.TIMESTAMPS && data.length === 8) return { kind: 'TS', value: view.getUint32(0), echo: view.getUint32(4) };
  if (kind === TCP_OPTION.SACK && data.length > 0 && data.length % 8 === 0) {
    const blocks = Array.from({ length: data.length / 8 }, (_, i) => [view.getUint32(8 * i), view.getUint32(8 * i + 4)] as const);
    return { kind: 'sack', blocks };
  }
  if (kind === TCP_OPTION.FAST_OPEN) return { kind: 'FO', cookie: toHex(data) };
  if (kind === MD5) return { kind: 'md5', digest: toHex(data) };
  if (kind === EXPERIMENT && data[0] === FAST_OPEN_MAGIC[0] && data[1] === FAST_OPEN_MAGIC[1]) {
    return { kind: 'FOEXP', cookie: toHex(data.subarray(2)) };
  }
  if ((kind === ACCECN_0 || kind === ACCECN_1) && data.length % 3 === 0) return { kind: 'ECN', counters: namedCounters(kind, data) };
  return null;
}

function namedCounters(kind: number, data: Uint8Array): (readonly [string, number])[] {
  const names = kind === ACCECN_0 ? ['e0b', 'ceb', 'e1b'] : ['e1b', 'ceb', 'e0b'];
  const count = data.length / 3;
  return names.slice(0, count).map((name, i) => [name, (data[3 * i]! << 16) | (data[3 * i + 1]! << 8) | data[3 * i + 2]!] as const);
}

function fromHex(text: string): Uint8Array {
  const even = text.length % 2 === 0 ? text : `0${text}`;
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toHex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
