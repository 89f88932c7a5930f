import { inRange, refused, word } from './field-range.ts';
import type { HeaderOption } from './option-list.ts';
import { viewOf } from './view-of.ts';

/** Kinds of TCP options (IANA). How they are walked: `optionBytes`. `at`: where the option's kind stands. */
export const TCP_OPTION = Object.freeze({
  END: 0,
  NOP: 1,
  /** RFC 9293 §3.7.1. */
  MSS: 2,
  /** RFC 7323 §2. */
  WINDOW_SCALE: 3,
  /** RFC 2018 §2. */
  SACK_PERMITTED: 4,
  /** RFC 2018 §3. */
  SACK: 5,
  /** RFC 7323 §3. */
  TIMESTAMPS: 8,
  /** RFC 5925 §2.2. */
  AUTHENTICATION: 29,
  /** RFC 7413 §2. */
  FAST_OPEN: 34,
} as const);

/** Their lengths, kind and length included: an option of another length is ignored. SACK: 2, and 8 for each block. */
export const TCP_OPTION_BYTES = Object.freeze({ MSS: 4, WINDOW_SCALE: 3, SACK_PERMITTED: 2, TIMESTAMPS: 10, SACK_BLOCK: 8 } as const);

/** NOP, NOP, TIMESTAMPS, 10 bytes: how the option stands alone and aligned (RFC 7323, appendix A); the first thing to compare. */
export const TCP_ALIGNED_TIMESTAMPS = 0x0101080a;

export function tcpOptionMss(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

/** The shift; above 14 it counts as 14 (RFC 7323 §2.3). */
export function tcpOptionWindowScale(view: DataView, at: number): number {
  return view.getUint8(at + 2);
}

/** TSval, int32. */
export function tcpOptionTimestamp(view: DataView, at: number): number {
  return view.getInt32(at + 2);
}

/** TSecr, int32. */
export function tcpOptionTimestampEcho(view: DataView, at: number): number {
  return view.getInt32(at + 6);
}

/** How many blocks an option of this length has; -1: it is no length of SACK. */
export function tcpSackBlocks(lenBytes: number): number {
  return lenBytes >= 10 && (lenBytes & 7) === 2 ? (lenBytes - 2) >>> 3 : -1;
}

/** First sequence number of a block, int32. */
export function tcpSackLeft(view: DataView, at: number, block: number): number {
  return view.getInt32(at + 2 + (block << 3));
}

/** The sequence number behind a block, int32. */
export function tcpSackRight(view: DataView, at: number, block: number): number {
  return view.getInt32(at + 6 + (block << 3));
}

// For tests and tools: @throws NetError EINVAL.

export function mssOption(mssBytes: number): HeaderOption {
  inRange('tcp.mss', mssBytes, 0xffff);
  return { kind: TCP_OPTION.MSS, data: Uint8Array.of(mssBytes >>> 8, mssBytes) };
}

export function windowScaleOption(shift: number): HeaderOption {
  return { kind: TCP_OPTION.WINDOW_SCALE, data: Uint8Array.of(inRange('tcp.windowScale', shift, 0xff)) };
}

export function sackPermittedOption(): HeaderOption {
  return { kind: TCP_OPTION.SACK_PERMITTED, data: new Uint8Array(0) };
}

/** Sequence numbers as int32 or unsigned. */
export function timestampsOption(value: number, echo: number): HeaderOption {
  return { kind: TCP_OPTION.TIMESTAMPS, data: words([word('tcp.timestamp', value), word('tcp.timestampEcho', echo)]) };
}

/** Blocks as [left, right], one to four. */
export function sackOption(blocks: readonly (readonly [left: number, right: number])[]): HeaderOption {
  if (blocks.length < 1 || blocks.length > 4) throw refused('tcp.sack', `${blocks.length} blocks`, '1 to 4');
  return { kind: TCP_OPTION.SACK, data: words(blocks.flat().map((edge) => word('tcp.sack', edge))) };
}

function words(values: readonly number[]): Uint8Array {
  const data = new Uint8Array(values.length * 4);
  const view = viewOf(data);
  values.forEach((value, index) => {
    view.setInt32(index * 4, value);
  });
  return data;
}
