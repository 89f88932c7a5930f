import type { DropReason, Skb } from '@softnet/contract';
import { ReceivedOptions } from '../wire/received-options.ts';

/** A segment that came (RFC 9293 §3.10.7), as its reader has understood it. Kept, and filled anew for each. */
export class Segment {
  /** SEG.SEQ, SEG.ACK, int32; SEG.WND not scaled. */
  seq = 0;
  ack = 0;
  window = 0;
  /** Bits of `TCP_FLAG`. */
  flags = 0;
  urgentPointer = 0;
  /** Payload, without SYN and FIN; it is what `skb` has from `data` on. */
  lenBytes = 0;
  /** How many segments GRO has merged into it, at least 1. */
  segments = 1;
  /** Bits of ECN in its IP header: 3 is CE. */
  ecn = 0;
  readonly options: ReceivedOptions = new ReceivedOptions();
  /** Where its options, and SACK blocks, stand. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The packet, `transport` at the header, `data` at the payload. Who takes it sets null; what is left is freed by who has called. */
  skb: Skb | null = null;
  /** Why it is dropped; null: it did what it was for. */
  fault: DropReason | null = null;
}

/** SEG.LEN: with SYN (0x2) and FIN (0x1). */
export function segmentLen({ lenBytes, flags }: Segment): number {
  return lenBytes + ((flags >> 1) & 1) + (flags & 1);
}
