/** Octets that were sent together: a segment, or what is cut into several. Recycled. */
export class SentRun {
  seq = 0;
  end = 0;
  /** Kernel µs, wrapping int32, of the last time. */
  sentUs = 0;
  /** How often it was sent again. */
  retransmissions = 0;
  next: SentRun | null = null;
}
