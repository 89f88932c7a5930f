import type { Skb, SockCommon } from '@softnet/contract';
import type { Membership } from './memberships.ts';

/** What a packet socket has beside `SockCommon`, of which it uses `localPort` as its ethertype, and `ifindex`: see {@link PacketSockets}. */
export class PacketState {
  readonly sock: SockCommon;
  /** One of `SOCK_TYPE`: RAW with the link header, DGRAM without. */
  readonly type: number;
  /** Received and not taken yet, linked by `next`. */
  first: Skb | null = null;
  last: Skb | null = null;
  /** Since PACKET_STATISTICS was last asked: queued, and lost for want of room. */
  received = 0;
  lost = 0;
  /** PACKET_IGNORE_OUTGOING, PACKET_AUXDATA. */
  ignoresOutgoing = false;
  tellsMore = false;
  memberships: Membership[] | null = null;
  closed = false;
  /** A send was told EAGAIN: wake when there is room. */
  blocked = false;
  /** Its user's `wake` has thrown once. */
  wakeThrew = false;
  /** In the list of those that are to be woken. */
  isWaking = false;
  nextWaking: PacketState | null = null;

  constructor(sock: SockCommon, type: number) {
    this.sock = sock;
    this.type = type;
  }

  /** Puts a packet, which is in no queue, last of those that wait. */
  append(skb: Skb): void {
    if (this.last === null) this.first = skb;
    else this.last.next = skb;
    this.last = skb;
  }

  /** Takes the first of those that wait; null: none does. */
  take(): Skb | null {
    const { first } = this;
    if (first === null) return null;
    this.first = first.next;
    if (this.first === null) this.last = null;
    first.next = null;
    return first;
  }
}

export function stateOf(sock: SockCommon): PacketState {
  return sock.ext as PacketState;
}
