import type { TcpSegment } from '@softnet/wire';
import type { OuterHeader } from '../language/packet-spec.ts';

/** A packet that the kernel under test has sent, as read from its bytes. */
export interface LivePacket {
  readonly version: 4 | 6;
  readonly src: string;
  readonly dst: string;
  readonly tos: number;
  readonly ttl: number;
  readonly flowLabel: number;
  readonly protocol: number;
  /** Outer headers, outermost first. */
  readonly outer: readonly OuterHeader[];
  /** In how many it came; 1: whole. */
  readonly frags: number;
  readonly upper: LiveUpper;
  /** From the innermost IP header on. */
  readonly bytes: Uint8Array;
}

export type LiveUpper =
  | ({ readonly kind: 'tcp' } & TcpSegment)
  | { readonly kind: 'udp'; readonly srcPort: number; readonly dstPort: number; readonly lenBytes: number; readonly checksum: number }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number; readonly rest: number; readonly payload: Uint8Array }
  /** Nothing that scripts have words for, or a packet with a fault, which is said. */
  | { readonly kind: 'other'; readonly what: string };
