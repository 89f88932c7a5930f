import type { NetDevice, SockAddress, SockCommon } from '@softnet/contract';

/** A `sockaddr_ll` has room for eight bytes; longer link addresses are told by their first. */
export const LINK_ADDRESS_BYTES = 8;

/** First word of a link address's place in a `SockAddress`: hardware type << 16 | packet type << 8 | length. */
export function linkHead(device: NetDevice, packetType: number): number {
  return (device.type << 16) | (packetType << 8) | Math.min(device.addressLen, LINK_ADDRESS_BYTES);
}

/** The packet type that a first word says. */
export function packetType(head: number): number {
  return (head >>> 8) & 0xff;
}

/** Four bytes of a link address of `lenBytes` as a word, most significant first; behind its end zeros. */
export function linkWord(bytes: Uint8Array, at: number, index: number, lenBytes: number): number {
  let word = 0;
  for (let i = 4 * index; i < 4 * index + 4; i++) word = (word << 8) | (i < lenBytes ? bytes[at + i]! : 0);
  return word;
}

/** The link address that a `SockAddress` says, into `into`, which is as long as its device's are. */
export function readLinkAddress({ address1, address2 }: SockAddress, into: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i] = i < 4 ? address1 >>> (24 - 8 * i) : i < 8 ? address2 >>> (56 - 8 * i) : 0;
}

/** What getsockname says of the device that a socket is bound to; null: of any. */
export function setOwnAddress(sock: SockCommon, device: NetDevice | null): void {
  sock.local0 = device === null ? 0 : linkHead(device, 0);
  sock.local1 = device === null ? 0 : linkWord(device.address, 0, 0, device.addressLen);
  sock.local2 = device === null ? 0 : linkWord(device.address, 0, 1, device.addressLen);
}
