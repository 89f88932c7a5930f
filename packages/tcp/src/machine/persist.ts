import type { Connection } from './connection.ts';

const MIN_US = 200_000;
const MAX_US = 120_000_000;

/** How long to wait until a shut window is probed (RFC 1122 §4.2.2.17): the RTO, doubled with each probe, within Linux's 200 ms to 120 s. @param probes sent so far. */
export function persistTimeoutUs(rtoUs: number, probes: number): number {
  return Math.min(Math.max(rtoUs, MIN_US) * 2 ** Math.min(probes, 30), MAX_US);
}

/** The same of a connection, ms: a user timeout is kept to the ms (RFC 5482), from when the window was found shut. */
export function persistDelayMs({ roundTrip, extra, firstProbeMs }: Connection, nowMs: number): number {
  const delayMs = persistTimeoutUs(roundTrip.timeoutUs, 0) / 1000;
  if (extra === null || extra.userTimeoutMs === 0 || firstProbeMs === 0) return delayMs;
  return Math.max(1, Math.min(delayMs, extra.userTimeoutMs - ((nowMs - firstProbeMs) | 0)));
}
