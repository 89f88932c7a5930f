const MIN_US = 200_000;
const MAX_US = 120_000_000;

/** How long to wait until a shut window is probed (RFC 1122 §4.2.2.17): the RTO, doubled with each probe, within Linux's 200 ms to 120 s. @param probes sent so far. */
export function persistTimeoutUs(rtoUs: number, probes: number): number {
  return Math.min(Math.max(rtoUs, MIN_US) * 2 ** Math.min(probes, 30), MAX_US);
}
