/** A packet: 9 bytes of header (0: type, 1-4: connection, 5-8: sequence number, big-endian), then what is echoed. */
export interface SkeletonPacket {
  readonly type: 'request' | 'reply';
  readonly connection: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 9;
const TYPES = Object.freeze(['request', 'reply'] as const);

export function emit({ type, connection, sequence, payload }: SkeletonPacket): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, TYPES.indexOf(type));
  view.setUint32(1, connection);
  view.setUint32(5, sequence);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The packet in these bytes, undefined where there is none: bad bytes never throw. */
export function parse(bytes: Uint8Array): SkeletonPacket | undefined {
  const type = TYPES[bytes[0] ?? TYPES.length];
  if (type === undefined || bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { type, connection: view.getUint32(1), sequence: view.getUint32(5), payload: bytes.slice(HEADER_BYTES) };
}
