// Values of options and control messages as Linux's ABI has them, little-endian, for those who do not want to write bytes.

/** An int. */
export function intValue(number: number): Uint8Array {
  return ints(number);
}

/** `struct linger`. */
export function lingerValue(on: boolean, seconds: number): Uint8Array {
  return ints(on ? 1 : 0, seconds);
}

/** `struct timeval`, of 64 bits each. */
export function timeValue(us: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(us / 1e6)), true);
  view.setBigInt64(8, BigInt(us % 1e6), true);
  return bytes;
}

/** A name of a device or an algorithm, with the zero behind it. */
export function textValue(text: string): Uint8Array {
  return Uint8Array.from(`${text}\0`, (char) => char.charCodeAt(0));
}

/** Reads an int; `at` in bytes. */
export function readInt(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at, true);
}

/** A `sock_extended_err` and who said it, of a control message IP_RECVERR or IPV6_RECVERR. */
export interface ExtendedError {
  readonly errno: number;
  /** SO_EE_ORIGIN_*: 1 local, 2 ICMP, 3 ICMPv6, 4 time stamps. */
  readonly origin: number;
  readonly type: number;
  readonly code: number;
  /** The MTU, for EMSGSIZE. */
  readonly info: number;
  readonly data: number;
  /** Bytes of the offender's `struct sockaddr_*`. */
  readonly offender: Uint8Array;
}

export function readExtendedError(bytes: Uint8Array): ExtendedError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    ...{ errno: view.getUint32(0, true), origin: bytes[4]!, type: bytes[5]!, code: bytes[6]! },
    ...{ info: view.getUint32(8, true), data: view.getUint32(12, true), offender: bytes.subarray(16) },
  };
}

function ints(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setInt32(4 * i, number, true);
  return bytes;
}
