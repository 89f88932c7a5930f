const NOT_ECT = 1 << 0;
const CE = 1 << 3;

/** What {@link mergedEcn} says: as the first fragment is; marked; or no datagram at all. */
export const FRAGMENT_ECN = Object.freeze({ AS_FIRST: 0, MARKED: 1, IMPOSSIBLE: 2 } as const);

/**
 * The mark of a datagram whose fragments had these ECN codepoints (RFC 3168 §5.3): that one met congestion is not lost; one whose
 * sender knows no ECN beside one whose does, nobody has sent (Linux's `ip_frag_ecn_table`).
 * @param seen bit 1 << codepoint for each.
 */
export function mergedEcn(seen: number): number {
  if ((seen & NOT_ECT) !== 0) return seen === NOT_ECT ? FRAGMENT_ECN.AS_FIRST : FRAGMENT_ECN.IMPOSSIBLE;
  return (seen & CE) !== 0 ? FRAGMENT_ECN.MARKED : FRAGMENT_ECN.AS_FIRST;
}
