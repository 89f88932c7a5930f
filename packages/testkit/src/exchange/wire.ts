/** A packet: protocol (1 byte), 0 (1), from port (2), to port (2), checksum (2), payload. */
export interface PacketHeader {
  readonly protocol: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 8;

/** Undefined for what is no packet, or was damaged. The payload is a view of `bytes`. */
export function parsePacket(bytes: Uint8Array): PacketHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes[1] !== 0 || checksum(bytes) !== u16(bytes, 6)) return undefined;
  return { protocol: bytes[0]!, fromPort: u16(bytes, 2), toPort: u16(bytes, 4), payload: bytes.subarray(HEADER_BYTES) };
}

export function emitPacket({ protocol, fromPort, toPort, payload }: PacketHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = protocol;
  put16(bytes, 2, fromPort);
  put16(bytes, 4, toPort);
  bytes.set(payload, HEADER_BYTES);
  put16(bytes, 6, checksum(bytes));
  return bytes;
}

/** Fletcher's sum of all bytes but its own two. */
function checksum(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let index = 0; index < bytes.length; index++) {
    if (index !== 6 && index !== 7) a = (a + bytes[index]!) % 255;
    b = (b + a) % 255;
  }
  return (b << 8) | a;
}

function u16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value;
}
