/** UDP-Lite's header (RFC 3828 §3): UDP's, with the checksum's coverage where UDP has its length. */
export const HEADER_BYTES = 8;
export const PROTOCOL = 136;
export const COVERAGE = 4;
export const CHECKSUM = 6;

/** How many bytes are covered, the header's among them, where the field says `coverage`; 0: it says what none may (§3.1). */
export function coveredBytes(coverage: number, lenBytes: number): number {
  if (coverage === 0) return lenBytes;
  return coverage < HEADER_BYTES || coverage > lenBytes ? 0 : coverage;
}
