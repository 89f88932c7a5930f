/** 169.254.0.0. */
const PREFIX = 0xa9fe0000 | 0;
/** The first and last 256 are set aside (RFC 3927 §2.1). */
const FIRST = 0x0100;
const COUNT = 0xfe00;

/**
 * The address that a host tries at its `attempt`th choice, 0 and up: by chance, uniform over 169.254.1.0 to 169.254.254.255, seeded by its
 * link address, so that it comes back to the one it had (RFC 3927 §2.1). int32.
 */
export function linkLocalChoice(linkAddress: Uint8Array, attempt: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < linkAddress.length; i++) hash = Math.imul(hash ^ linkAddress[i]!, 0x01000193);
  const mixed = mix(mix(hash) + Math.imul(attempt + 1, 0x9e3779b9));
  return PREFIX | (FIRST + Math.floor(((mixed >>> 0) / 0x1_0000_0000) * COUNT));
}

/** A finalizer: each bit of what goes in changes half of those that come out. */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
