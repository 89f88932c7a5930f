/** Below that, what anybody on the link says does not shorten a life (RFC 4862 §5.5.3 e). */
const TWO_HOURS_MS = 7_200_000;

/**
 * How long an address is valid from now on, when its prefix is advertised again: RFC 4862 §5.5.3 e, so that a forged advertisement cannot end it.
 * @param leftMs of its life. @param saidMs advertised. Both may be Infinity.
 */
export function validAfter(leftMs: number, saidMs: number): number {
  if (saidMs > TWO_HOURS_MS || saidMs > leftMs) return saidMs;
  return Math.min(leftMs, TWO_HOURS_MS);
}
