import type { Skb } from '@softnet/contract';
import type { Segment } from '../machine/segment.ts';
import type { SegmentHost } from './segment-host.ts';

/** From a packet to a segment. */
export class SegmentReader {
  constructor(_host: SegmentHost) {}

  /** `data` = `transport`, `network` at the IP header. True: `into` is filled, with the packet, whose `data` is at the payload. False: it was dropped. */
  read(_skb: Skb, _into: Segment): boolean {
    return false;
  }
}
