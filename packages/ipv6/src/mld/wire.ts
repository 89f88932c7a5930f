import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { ReportedRecord } from '@softnet/inet';
import { finishIcmpv6, ICMPV6_TYPE, putAddress, readAddress } from '@softnet/wire';

/** Of version 1, both ways; of a version 2 query, of a report, and of a record of one (RFC 2710 §3, RFC 3810 §5). */
const MLD1_BYTES = 24;
const MLD2_QUERY_BYTES = 28;
export const MLD2_REPORT_BYTES = 8;
export const MLD2_RECORD_BYTES = 20;
export const MLD2_SOURCE_BYTES = 16;
/** Where the group stands in queries and in version 1. */
const GROUP_AT = 8;
const { INET6 } = ADDRESS_FAMILY;

/** What may be wrong with a message by its bytes alone: names of drop reasons, and their text. */
export const MLD_FAULT = Object.freeze({
  'mld.truncated': 'a report or done of fewer than 24 bytes, or a record that reaches over the end (RFC 2710 §3.7, RFC 3810 §5.2)',
  'mld.query-length': 'a query of fewer than 24, or of 25 to 27 bytes: of no version (RFC 3810 §8.1)',
  'mld.query-sources': 'a query with fewer sources than it says (RFC 3810 §5.1.10)',
} as const);
export type MldFault = keyof typeof MLD_FAULT;

/** A query of either version. */
export interface MldQuery {
  readonly type: typeof ICMPV6_TYPE.MLD_QUERY;
  /** By its length (RFC 3810 §8.1). */
  readonly version: 1 | 2;
  /** Zeros: a general query. */
  readonly group: AddressWords;
  /** Answers come within so many ms. */
  readonly maxResponseMs: number;
  /** S flag, robustness (0: more than 7) and seconds between queries: version 2 says them, else false and 0. */
  readonly suppress: boolean;
  readonly robustness: number;
  readonly intervalS: number;
  readonly sources: readonly AddressWords[];
}

/** A report or done of version 1. */
export interface MldGroupMessage {
  readonly type: typeof ICMPV6_TYPE.MLD_REPORT | typeof ICMPV6_TYPE.MLD_DONE;
  readonly group: AddressWords;
}

/** A version 2 report. Auxiliary data is stepped over, and never sent (RFC 3810 §5.2.6). */
interface MldReport {
  readonly type: typeof ICMPV6_TYPE.MLD2_REPORT;
  readonly records: readonly ReportedRecord[];
}

export type MldMessage = MldQuery | MldGroupMessage | MldReport;

export function isMldType(type: number): boolean {
  return (type >= ICMPV6_TYPE.MLD_QUERY && type <= ICMPV6_TYPE.MLD_DONE) || type === ICMPV6_TYPE.MLD2_REPORT;
}

/** Maximum Response Code, ms: from 32,768 on mantissa and exponent (RFC 3810 §5.1.3). 0 to 8,387,584. */
export function decodeMldDelay(code: number): number {
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);
}

/** The code of the largest time that is not above it. */
export function encodeMldDelay(ms: number): number {
  if (ms < 0x8000) return ms;
  const exponent = Math.min(7, 31 - Math.clz32(ms) - 15);
  return 0x8000 | (exponent << 12) | (Math.min(0x1fff, ms >>> (exponent + 3)) & 0xfff);
}

/** QQIC, seconds: from 128 on mantissa and exponent (RFC 3810 §5.1.9). 0 to 31,744. */
export function decodeQqic(code: number): number {
  return code < 0x80 ? code : ((code & 0xf) | 0x10) << (((code >>> 4) & 7) + 3);
}

/** The code of the largest time that is not above it. */
export function encodeQqic(seconds: number): number {
  if (seconds < 0x80) return seconds;
  const exponent = Math.min(7, 31 - Math.clz32(seconds) - 7);
  return 0x80 | (exponent << 4) | (Math.min(0x1f, seconds >>> (exponent + 3)) & 0xf);
}

/**
 * A message whose ICMPv6 checksum is right, and whose type is one of MLD's. Its code is not looked at (RFC 3810 §5.1.2).
 * @param length bytes of the message from its ICMPv6 header on, 8 or more, all of which can be read.
 */
export function parseMld(bytes: Uint8Array, offset: number, length: number): MldMessage | MldFault {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const type = view.getUint8(0);
  if (type === ICMPV6_TYPE.MLD_QUERY) return parseQuery(view);
  if (type === ICMPV6_TYPE.MLD2_REPORT) return parseReport(view);
  if (length < MLD1_BYTES) return 'mld.truncated';
  return { type: type as MldGroupMessage['type'], group: addressAt(view, GROUP_AT) };
}

/** Checksum included. @param pseudoSum for these bytes, from `pseudo-header.ts`. */
export function emitMld(message: MldMessage, pseudoSum: (lenBytes: number) => number): Uint8Array {
  const bytes = 'records' in message ? emitReport(message) : 'version' in message ? emitQuery(message) : new Uint8Array(MLD1_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, message.type);
  if ('group' in message) putAddress(view, GROUP_AT, INET6, ...message.group);
  finishIcmpv6(view, 0, bytes.length, pseudoSum(bytes.length));
  return bytes;
}

function parseQuery(view: DataView): MldQuery | MldFault {
  const length = view.byteLength;
  if (length < MLD1_BYTES || (length > MLD1_BYTES && length < MLD2_QUERY_BYTES)) return 'mld.query-length';
  const code = view.getUint16(4);
  const any = { type: ICMPV6_TYPE.MLD_QUERY, group: addressAt(view, GROUP_AT) } as const;
  if (length === MLD1_BYTES) {
    return { ...any, version: 1, maxResponseMs: code, suppress: false, robustness: 0, intervalS: 0, sources: [] };
  }
  const count = view.getUint16(26);
  if (length < MLD2_QUERY_BYTES + MLD2_SOURCE_BYTES * count) return 'mld.query-sources';
  return {
    ...any,
    version: 2,
    maxResponseMs: decodeMldDelay(code),
    suppress: (view.getUint8(24) & 8) !== 0,
    robustness: view.getUint8(24) & 7,
    intervalS: decodeQqic(view.getUint8(25)),
    sources: addressesAt(view, MLD2_QUERY_BYTES, count),
  };
}

function parseReport(view: DataView): MldReport | MldFault {
  const records: ReportedRecord[] = [];
  let at = MLD2_REPORT_BYTES;
  for (let left = view.getUint16(6); left > 0; left--) {
    if (at + MLD2_RECORD_BYTES > view.byteLength) return 'mld.truncated';
    const count = view.getUint16(at + 2);
    const end = at + recordBytes(count) + 4 * view.getUint8(at + 1);
    if (end > view.byteLength) return 'mld.truncated';
    records.push({ type: view.getUint8(at), group: addressAt(view, at + 4), sources: addressesAt(view, at + MLD2_RECORD_BYTES, count) });
    at = end;
  }
  return { type: ICMPV6_TYPE.MLD2_REPORT, records };
}

function emitQuery({ version, maxResponseMs, suppress, robustness, intervalS, sources }: MldQuery): Uint8Array {
  const bytes = new Uint8Array(version === 2 ? MLD2_QUERY_BYTES + MLD2_SOURCE_BYTES * sources.length : MLD1_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, version === 2 ? encodeMldDelay(maxResponseMs) : maxResponseMs);
  if (version === 1) return bytes;
  view.setUint8(24, (suppress ? 8 : 0) | robustness);
  view.setUint8(25, encodeQqic(intervalS));
  view.setUint16(26, sources.length);
  putAddresses(view, MLD2_QUERY_BYTES, sources);
  return bytes;
}

function emitReport({ records }: MldReport): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, { sources }) => sum + recordBytes(sources.length), MLD2_REPORT_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint16(6, records.length);
  let at = MLD2_REPORT_BYTES;
  for (const { type, group, sources } of records) {
    view.setUint8(at, type);
    view.setUint16(at + 2, sources.length);
    putAddress(view, at + 4, INET6, ...group);
    putAddresses(view, at + MLD2_RECORD_BYTES, sources);
    at += recordBytes(sources.length);
  }
  return bytes;
}

function recordBytes(sources: number): number {
  return MLD2_RECORD_BYTES + MLD2_SOURCE_BYTES * sources;
}

function addressAt(view: DataView, at: number): AddressWords {
  return readAddress(view, at, INET6);
}

function addressesAt(view: DataView, at: number, count: number): AddressWords[] {
  return Array.from({ length: count }, (_, i) => addressAt(view, at + MLD2_SOURCE_BYTES * i));
}

function putAddresses(view: DataView, at: number, addresses: readonly AddressWords[]): void {
  for (const [i, address] of addresses.entries()) putAddress(view, at + MLD2_SOURCE_BYTES * i, INET6, ...address);
}
