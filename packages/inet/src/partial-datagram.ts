import type { Skb } from '@softnet/contract';

/** A datagram of which fragments have come. Records are used again. */
export class PartialDatagram {
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  ifindex = 0;
  id = 0;
  protocol = 0;
  /** Bucket and chain. */
  hash = 0;
  hashNext: PartialDatagram | null = null;
  /** Neighbours by age. */
  older: PartialDatagram | null = null;
  younger: PartialDatagram | null = null;
  /** Who sends it, and the neighbours by age of the same sender. */
  source: FragmentSource | null = null;
  sourceOlder: PartialDatagram | null = null;
  sourceYounger: PartialDatagram | null = null;
  /** Which of its source's fragments was the last of this datagram. int32. */
  arrival = 0;
  /** ECN codepoints (RFC 3168 §5) of its fragments: bit 1 << codepoint. */
  ecn = 0;
  /** Its pieces by offset, linked by `skb.next`; each has its first byte in `cb0`, and the one behind its last in `cb1`. */
  first: Skb | null = null;
  last: Skb | null = null;
  pieces = 0;
  /** Payload that is there. */
  heldBytes = 0;
  /** Payload that there will be; -1: the last fragment has not come. */
  totalBytes = -1;
  /** Nothing will come of it: what still comes is dropped, until its time is over. */
  isAbandoned = false;
  /** Memory charged for it. */
  chargedBytes = 0;
  /** Kernel µs. */
  expiresUs = 0;
}

/** Who sends fragments, while a datagram of theirs waits. Records are used again. */
export class FragmentSource {
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  hash = 0;
  hashNext: FragmentSource | null = null;
  /** Its datagrams by age. */
  oldest: PartialDatagram | null = null;
  youngest: PartialDatagram | null = null;
  datagrams = 0;
  /** Memory charged for them. */
  bytes = 0;
  /** Fragments that have come of it. int32, wraps. */
  arrivals = 0;
}
