/**
 * What goes through a port: each message is one ArrayBuffer, little-endian, beginning with 16 bytes: magic, sort, and two numbers.
 *
 * ```
 * HELLO   version << 8 | flags, MTU; then buffers that may be on the way at once.   Copied.
 * FRAMES  end of what is used; then frames, each behind its length of 32 bits.       Transferred; comes back by
 * RETURN  nothing.                                                                   Transferred.
 * BYE     nothing.                                                                   Copied.
 * ```
 */
export const SORT = Object.freeze({ HELLO: 1, FRAMES: 2, RETURN: 3, BYE: 4 } as const);
const HELLO_FLAG = Object.freeze({
  /** It has just begun, and does not know the other side: an answer is wanted. */
  ASKS: 1,
  /** Its device is up. */
  UP: 2,
} as const);

/** Both sides speak the same one, or not at all. */
export const VERSION = 1;
export const HEADER_BYTES = 16;
export const LENGTH_BYTES = 4;
/** The longest frame. */
export const FRAME_LIMIT_BYTES = 65_550;
/** One frame of the greatest length fits, and some forty of the usual one. */
export const BATCH_BYTES: number = HEADER_BYTES + LENGTH_BYTES + FRAME_LIMIT_BYTES;
/** Batches that may be on the way at once, in each direction. */
export const BATCHES = 8;
const MAGIC = 0x50_4d_4e_53;
const HELLO_BYTES = 20;
const MAX_MTU_BYTES = 65_535;

/** What the other side has said of itself. */
export interface Peer {
  readonly version: number;
  readonly asks: boolean;
  readonly up: boolean;
  readonly mtuBytes: number;
  /** Batches that it takes before it has given one back. */
  readonly batches: number;
}

export function emitHello({ version, asks, up, mtuBytes, batches }: Peer): ArrayBuffer {
  const message = new ArrayBuffer(HELLO_BYTES);
  const view = new DataView(message);
  putHeader(view, SORT.HELLO);
  view.setUint32(8, (version << 8) | (asks ? HELLO_FLAG.ASKS : 0) | (up ? HELLO_FLAG.UP : 0), true);
  view.setUint32(12, mtuBytes, true);
  view.setUint32(16, batches, true);
  return message;
}

/** Null: cut off, or out of all ranges. Of another version than ours only that is meant. */
export function parseHello(message: ArrayBuffer): Peer | null {
  if (message.byteLength < HELLO_BYTES) return null;
  const view = new DataView(message);
  const flags = view.getUint32(8, true);
  const mtuBytes = view.getUint32(12, true);
  const batches = view.getUint32(16, true);
  if (batches < 1 || mtuBytes < 1 || mtuBytes > MAX_MTU_BYTES) return null;
  return { version: flags >>> 8, asks: (flags & HELLO_FLAG.ASKS) !== 0, up: (flags & HELLO_FLAG.UP) !== 0, mtuBytes, batches };
}

export function emitBye(): ArrayBuffer {
  const message = new ArrayBuffer(HEADER_BYTES);
  putHeader(new DataView(message), SORT.BYE);
  return message;
}

/** One of {@link SORT}; 0: it is none of our messages. */
export function sortOf(message: unknown): number {
  if (!(message instanceof ArrayBuffer) || message.byteLength < HEADER_BYTES || message.byteLength > BATCH_BYTES) return 0;
  const view = new DataView(message);
  const sort = view.getUint32(4, true);
  return view.getUint32(0, true) === MAGIC && sort >= SORT.HELLO && sort <= SORT.BYE ? sort : 0;
}

/** Writes what a message begins with. */
export function putHeader(view: DataView, sort: number): void {
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, sort, true);
}
