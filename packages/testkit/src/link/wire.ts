/** A frame on a cable: to (2 bytes), from (2 bytes), payload. Addresses are 1 to 65534; 65535 is everybody. */
export interface Frame {
  readonly to: number;
  readonly from: number;
  readonly payload: Uint8Array;
}

export const EVERYBODY = 0xffff;
/** The longest payload, bytes. */
export const LINK_MTU = 1500;

const HEADER_BYTES = 4;

/** Undefined for what is no frame. The payload is a view of `bytes`. */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > HEADER_BYTES + LINK_MTU) return undefined;
  return { to: u16(bytes, 0), from: u16(bytes, 2), payload: bytes.subarray(HEADER_BYTES) };
}

/** Copies the payload: the one copy out. */
export function emitFrame({ to, from, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = to >> 8;
  bytes[1] = to;
  bytes[2] = from >> 8;
  bytes[3] = from;
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function u16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
