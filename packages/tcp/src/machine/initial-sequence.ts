/**
 * ISN = M + F (RFC 6528 §3). @param hash F: keyed, of both addresses and ports, int32. @param ticks M: a clock that ticks every 4 µs (RFC 9293 §3.4.1),
 * wrapping int32, made of a clock that does not wrap before: what wraps in µs is no such clock.
 */
export function initialSequence(hash: number, ticks: number): number {
  return (hash + ticks) | 0;
}
