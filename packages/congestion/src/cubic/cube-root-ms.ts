/** 2^21 ms are 35 minutes: more than it takes from nothing to 2^30 packets. */
const TOP_BIT = 1 << 20;
/** 1 s³ / C, ms³: C is 0.4 packets/s³ (RFC 9438 §4.1, §5.1). */
const CUBIC_MS_PER_PACKET = 2.5e9;

/**
 * K of RFC 9438 §4.2 (2): how many ms W_cubic takes to climb so many packets, rounded down: by bits, since Math.cbrt is not the same on
 * every machine. Once an epoch.
 */
export function cubeRootMs(packets: number): number {
  const cube = packets * CUBIC_MS_PER_PACKET;
  let root = 0;
  for (let bit = TOP_BIT; bit !== 0; bit >>= 1) {
    const next = root | bit;
    if (next * next * next <= cube) root = next;
  }
  return root;
}

/** C · t³ (RFC 9438 §4.2 (1)), packets. @param ms may be negative. */
export function climbedPackets(ms: number): number {
  return (ms * ms * ms) / CUBIC_MS_PER_PACKET;
}
