// What an IPv4 address is by its number alone (RFC 6890). int32 words.

/** 255.255.255.255 (RFC 919). */
export const LIMITED_BROADCAST = -1;
/** 224.0.0.1 (RFC 1112 §4). */
export const ALL_HOSTS: number = 0xe0000001 | 0;

/** 224.0.0.0/4 (RFC 1112). */
export function isMulticast(address: number): boolean {
  return address >>> 28 === 0xe;
}

/** 127.0.0.0/8: never on a wire (RFC 1122 §3.2.1.3 g). */
export function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}

/** 0.0.0.0/8: "this host" (RFC 1122 §3.2.1.3 a, b). */
export function isThisNetwork(address: number): boolean {
  return address >>> 24 === 0;
}

/** The bits of a prefix, 0 to 32, as int32. */
export function maskOf(prefixLen: number): number {
  return prefixLen === 0 ? 0 : -1 << (32 - prefixLen);
}

/** 240.0.0.0/4, but for the broadcast: reserved (RFC 1112 §4). DEVIATION: Linux takes it for unicast; RFC 1812 §5.3.7 does not. */
function isReserved(address: number): boolean {
  return address >>> 28 === 0xf && address !== LIMITED_BROADCAST;
}

/** May a packet come from there? Not from groups (RFC 1812 §5.3.7); `isHere`: where 127.0.0.0/8 is allowed. */
export function isMartianSource(address: number, destination: number, isHere: boolean): boolean {
  if (isMulticast(address) || address === LIMITED_BROADCAST || isReserved(address)) return true;
  // Who has no address yet asks all on the link (RFC 1122 §3.2.1.3 a).
  if (isThisNetwork(address)) return address !== 0 || !(destination === LIMITED_BROADCAST || isMulticast(destination));
  return isLoopback(address) && !isHere;
}

/** May a packet go there? */
export function isMartianDestination(address: number, isHere: boolean): boolean {
  return isThisNetwork(address) || isReserved(address) || (isLoopback(address) && !isHere);
}

/** 169.254.0.0/16: of one link (RFC 3927). */
export function isLinkLocal(address: number): boolean {
  return address >>> 16 === 0xa9fe;
}
