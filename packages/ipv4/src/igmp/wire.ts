import type { AddressWords } from '@softnet/contract';
import type { ReportedRecord } from '@softnet/inet';
import { checksumOf, INTACT, ipv4Words, readAddress, sumBytes } from '@softnet/wire';

/** IGMP's types (RFC 3376 §4). */
export const IGMP_TYPE = Object.freeze({ QUERY: 0x11, REPORT_V1: 0x12, REPORT_V2: 0x16, LEAVE: 0x17, REPORT_V3: 0x22 } as const);

/** Of versions 1 and 2, and of every message at least; of a version 3 query; of a record of a report. */
export const IGMP_BYTES = 8;
const IGMP_V3_QUERY_BYTES = 12;
export const IGMP_RECORD_BYTES = 8;
export const IGMP_SOURCE_BYTES = 4;

/** What may be wrong with a message by its bytes alone: names of drop reasons, and their text. */
export const IGMP_FAULT = Object.freeze({
  'igmp.truncated': 'fewer than 8 bytes, or a record that reaches over its end (RFC 3376 §4)',
  'igmp.checksum': 'its checksum is wrong (RFC 3376 §4.1.2)',
  'igmp.query-length': 'a query of 9 to 11 bytes: of no version (RFC 3376 §7.1)',
  'igmp.query-sources': 'a query with fewer sources than it says (RFC 3376 §4.1.8)',
  'igmp.type': 'a type that nobody knows (RFC 3376 §4)',
} as const);
export type IgmpFault = keyof typeof IGMP_FAULT;

/** A query of any version. */
export interface IgmpQuery {
  readonly type: typeof IGMP_TYPE.QUERY;
  /** By length and Max Resp Code (RFC 3376 §7.1). */
  readonly version: 1 | 2 | 3;
  /** Zeros: a general query. */
  readonly group: AddressWords;
  /** Answers come within so many tenths of a second; 0 of version 1, which says none. */
  readonly maxResponseDs: number;
  /** S flag, robustness (0: more than 7) and seconds between queries: version 3 says them, else false and 0. */
  readonly suppress: boolean;
  readonly robustness: number;
  readonly intervalS: number;
  readonly sources: readonly AddressWords[];
}

/** A report of versions 1 and 2, or a leave. */
export interface IgmpGroupMessage {
  readonly type: typeof IGMP_TYPE.REPORT_V1 | typeof IGMP_TYPE.REPORT_V2 | typeof IGMP_TYPE.LEAVE;
  readonly group: AddressWords;
}

/** A record of a version 3 report. */
export type IgmpRecord = ReportedRecord;

/** A version 3 report. Auxiliary data is stepped over, and never sent (RFC 3376 §4.2.6). */
interface IgmpReport {
  readonly type: typeof IGMP_TYPE.REPORT_V3;
  readonly records: readonly IgmpRecord[];
}

export type IgmpMessage = IgmpQuery | IgmpGroupMessage | IgmpReport;

/** Max Resp Code and QQIC: from 128 on mantissa and exponent (RFC 3376 §4.1.1, §4.1.7). */
export function decodeIgmpTime(code: number): number {
  return code < 0x80 ? code : ((code & 0xf) | 0x10) << (((code >>> 4) & 7) + 3);
}

/** The code of the largest time that is not above it. 0 to 31,744. */
export function encodeIgmpTime(time: number): number {
  if (time < 0x80) return time;
  const exponent = Math.min(7, 31 - Math.clz32(time) - 7);
  return 0x80 | (exponent << 4) | (Math.min(0x1f, time >>> (exponent + 3)) & 0xf);
}

/** @param length bytes of the message, all of which can be read. */
export function parseIgmp(bytes: Uint8Array, offset: number, length: number): IgmpMessage | IgmpFault {
  if (length < IGMP_BYTES) return 'igmp.truncated';
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  if (sumBytes(view, 0, length) !== INTACT) return 'igmp.checksum';
  const type = view.getUint8(0);
  switch (type) {
    case IGMP_TYPE.QUERY:
      return parseQuery(view);
    case IGMP_TYPE.REPORT_V1:
    case IGMP_TYPE.REPORT_V2:
    case IGMP_TYPE.LEAVE:
      return { type, group: addressAt(view, 4) };
    case IGMP_TYPE.REPORT_V3:
      return parseReport(view);
    default:
      return 'igmp.type';
  }
}

/** Checksum included. */
export function emitIgmp(message: IgmpMessage): Uint8Array {
  const bytes = message.type === IGMP_TYPE.QUERY ? emitQuery(message) : 'records' in message ? emitReport(message) : new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, message.type);
  if (message.type !== IGMP_TYPE.QUERY && 'group' in message) view.setInt32(4, message.group[3]);
  view.setUint16(2, checksumOf(sumBytes(view, 0, bytes.length)));
  return bytes;
}

function parseQuery(view: DataView): IgmpQuery | IgmpFault {
  const length = view.byteLength;
  const code = view.getUint8(1);
  const group = addressAt(view, 4);
  const older = { type: IGMP_TYPE.QUERY, group, suppress: false, robustness: 0, intervalS: 0, sources: [] } as const;
  // RFC 1112, Appendix I: version 1 has a group that is not looked at.
  if (length === IGMP_BYTES && code === 0) return { ...older, version: 1, group: [0, 0, 0, 0], maxResponseDs: 0 };
  if (length === IGMP_BYTES) return { ...older, version: 2, maxResponseDs: code };
  if (length < IGMP_V3_QUERY_BYTES) return 'igmp.query-length';
  const count = view.getUint16(10);
  if (length < IGMP_V3_QUERY_BYTES + IGMP_SOURCE_BYTES * count) return 'igmp.query-sources';
  return {
    ...older,
    version: 3,
    maxResponseDs: decodeIgmpTime(code),
    suppress: (view.getUint8(8) & 8) !== 0,
    robustness: view.getUint8(8) & 7,
    intervalS: decodeIgmpTime(view.getUint8(9)),
    sources: addressesAt(view, IGMP_V3_QUERY_BYTES, count),
  };
}

function parseReport(view: DataView): IgmpReport | IgmpFault {
  const records: IgmpRecord[] = [];
  let at = IGMP_BYTES;
  for (let left = view.getUint16(6); left > 0; left--) {
    if (at + IGMP_RECORD_BYTES > view.byteLength) return 'igmp.truncated';
    const count = view.getUint16(at + 2);
    const end = at + IGMP_RECORD_BYTES + IGMP_SOURCE_BYTES * count + 4 * view.getUint8(at + 1);
    if (end > view.byteLength) return 'igmp.truncated';
    records.push({ type: view.getUint8(at), group: addressAt(view, at + 4), sources: addressesAt(view, at + IGMP_RECORD_BYTES, count) });
    at = end;
  }
  return { type: IGMP_TYPE.REPORT_V3, records };
}

function emitQuery({ version, maxResponseDs, group, suppress, robustness, intervalS, sources }: IgmpQuery): Uint8Array {
  const bytes = new Uint8Array(version === 3 ? IGMP_V3_QUERY_BYTES + IGMP_SOURCE_BYTES * sources.length : IGMP_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, group[3]);
  view.setUint8(1, version === 3 ? encodeIgmpTime(maxResponseDs) : version === 2 ? maxResponseDs : 0);
  if (version !== 3) return bytes;
  view.setUint8(8, (suppress ? 8 : 0) | robustness);
  view.setUint8(9, encodeIgmpTime(intervalS));
  view.setUint16(10, sources.length);
  putAddresses(view, IGMP_V3_QUERY_BYTES, sources);
  return bytes;
}

function emitReport({ records }: IgmpReport): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + igmpRecordBytes(record.sources.length), IGMP_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint16(6, records.length);
  let at = IGMP_BYTES;
  for (const { type, group, sources } of records) {
    view.setUint8(at, type);
    view.setUint16(at + 2, sources.length);
    view.setInt32(at + 4, group[3]);
    putAddresses(view, at + IGMP_RECORD_BYTES, sources);
    at += igmpRecordBytes(sources.length);
  }
  return bytes;
}

function igmpRecordBytes(sources: number): number {
  return IGMP_RECORD_BYTES + IGMP_SOURCE_BYTES * sources;
}

function addressAt(view: DataView, at: number): AddressWords {
  return ipv4Words(view.getInt32(at));
}

function addressesAt(view: DataView, at: number, count: number): AddressWords[] {
  return Array.from({ length: count }, (_, i) => readAddress(view, at + IGMP_SOURCE_BYTES * i, 2));
}

function putAddresses(view: DataView, at: number, addresses: readonly AddressWords[]): void {
  for (const [i, address] of addresses.entries()) view.setInt32(at + IGMP_SOURCE_BYTES * i, address[3]);
}
