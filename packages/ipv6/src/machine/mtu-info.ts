import { ADDRESS_FAMILY } from '@softnet/contract';
import { putAddress, putInt, putPort } from '@softnet/inet';

/** `struct ip6_mtuinfo` (RFC 3542 §11.3): a sockaddr_in6, and an MTU. */
export const MTU_INFO_BYTES = 32;

/** Which path has which MTU. */
export interface PathMtu {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** Host order; 0: of a destination, whatever port. */
  readonly port: number;
  /** Of a link-local destination; 0: none. */
  readonly ifindex: number;
  readonly mtuBytes: number;
}

export function putMtuInfo(bytes: Uint8Array, { word0, word1, word2, word3, port, ifindex, mtuBytes }: PathMtu): void {
  bytes.fill(0, 0, MTU_INFO_BYTES);
  bytes[0] = ADDRESS_FAMILY.INET6;
  putPort(bytes, 2, port);
  putAddress(bytes, 8, ADDRESS_FAMILY.INET6, word0, word1, word2, word3);
  putInt(bytes, 24, ifindex);
  putInt(bytes, 28, mtuBytes);
}
