/** The number of talk in an exchange's packets. */
export const TALK = 84;

/** A segment: flags (1 byte), 0 (1), sequence (4), acknowledgement (4), payload. */
export interface Segment {
  readonly flags: number;
  /** Of the first byte of the payload; a HELLO and a BYE take one number each. int32. */
  readonly seq: number;
  /** The next number that is expected. int32. */
  readonly ack: number;
  readonly payload: Uint8Array;
}

export const HELLO = 1;
export const ACK = 2;
export const BYE = 4;
export const RESET = 8;
/** Of no connection: a message from socket to socket. */
export const MESSAGE = 16;

/** Combinations that have a meaning. */
const MEANT: readonly number[] = [HELLO, HELLO | ACK, ACK, ACK | BYE, RESET, RESET | ACK, MESSAGE];

const HEADER_BYTES = 10;
/** The longest payload, bytes. */
export const MAX_PAYLOAD = 1400;

/** A segment without payload. */
export function bare(flags: number, seq: number, ack: number): Segment {
  return { flags, seq, ack, payload: new Uint8Array(0) };
}

/** Undefined for what is no segment. The payload is a view of `bytes`. */
export function parseSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > HEADER_BYTES + MAX_PAYLOAD) return undefined;
  const flags = bytes[0]!;
  if (bytes[1] !== 0 || !MEANT.includes(flags)) return undefined;
  if (flags !== ACK && flags !== MESSAGE && bytes.length > HEADER_BYTES) return undefined;
  return { flags, seq: i32(bytes, 2), ack: i32(bytes, 6), payload: bytes.subarray(HEADER_BYTES) };
}

export function emitSegment({ flags, seq, ack, payload }: Segment): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = flags;
  put32(bytes, 2, seq);
  put32(bytes, 6, ack);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The answer to a segment that belongs to nobody; undefined to a RESET, which gets none. */
export function resetFor(segment: Segment): Segment | undefined {
  if ((segment.flags & RESET) !== 0) return undefined;
  const taken = segment.payload.length + ((segment.flags & (HELLO | BYE)) === 0 ? 0 : 1);
  return bare(RESET | ACK, segment.ack, (segment.seq + taken) | 0);
}

function i32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

function put32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 24;
  bytes[offset + 1] = value >> 16;
  bytes[offset + 2] = value >> 8;
  bytes[offset + 3] = value;
}
