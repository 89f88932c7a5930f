import type { Skb, SockCommon } from '@softnet/contract';
import type { Cork } from './cork.ts';

/** Bits of {@link DatagramState}: the lowest two are those of `SocketCalls.shutdown`. */
const SHUT = 3;
const ADDRESS_BOUND = 0x4;
const CHANGING = 0x8;
const BLOCKED = 0x10;
const CLOSED = 0x20;
const TAKES_MERGED = 0x40;
const WAKE_THREW = 0x80;
const CORKED = 0x100;
const UNSUMMED_SENT = 0x200;
const UNSUMMED_RECEIVED = 0x400;

/** What few datagram sockets have: made with the first that differs. */
class RareState {
  peerScope = 0;
  segmentBytes = 0;
  cork: Cork | null = null;
  stamps = 0;
  own: object | null = null;
}

/** What a datagram socket has beside its {@link SockCommon}: its `ext`. Three fields, 48 bytes in Node: most sockets are idle. */
export class DatagramState {
  /** Received and not taken yet, payload at `data`: the last of a ring, linked by `next`; null: none waits. */
  last: Skb | null = null;
  #bits = 0;
  #rare: RareState | null = null;

  /** What waits longest. */
  get first(): Skb | null {
    return this.last === null ? null : this.last.next;
  }

  /** Bits of `SocketCalls.shutdown`: 1 receiving, 2 sending. */
  get shut(): number {
    return this.#bits & SHUT;
  }
  set shut(how: number) {
    this.#bits |= how & SHUT;
  }

  /** Bind named an address, which stays when the socket disconnects. */
  get addressBound(): boolean {
    return (this.#bits & ADDRESS_BOUND) !== 0;
  }
  set addressBound(on: boolean) {
    this.#put(ADDRESS_BOUND, on);
  }

  /** In bind or connect: of two at once the later is refused (row I4). */
  get changing(): boolean {
    return (this.#bits & CHANGING) !== 0;
  }
  set changing(on: boolean) {
    this.#put(CHANGING, on);
  }

  /** A send was told EAGAIN: wake when there is room. */
  get blocked(): boolean {
    return (this.#bits & BLOCKED) !== 0;
  }
  set blocked(on: boolean) {
    this.#put(BLOCKED, on);
  }

  get closed(): boolean {
    return (this.#bits & CLOSED) !== 0;
  }
  set closed(on: boolean) {
    this.#put(CLOSED, on);
  }

  /** It takes merged datagrams whole (UDP_GRO). */
  get takesMerged(): boolean {
    return (this.#bits & TAKES_MERGED) !== 0;
  }
  set takesMerged(on: boolean) {
    this.#put(TAKES_MERGED, on);
  }

  /** Its user's `wake` has thrown once. */
  get wakeThrew(): boolean {
    return (this.#bits & WAKE_THREW) !== 0;
  }
  set wakeThrew(on: boolean) {
    this.#put(WAKE_THREW, on);
  }

  /** What it sends waits until this is taken back (UDP_CORK). */
  get corked(): boolean {
    return (this.#bits & CORKED) !== 0;
  }
  set corked(on: boolean) {
    this.#put(CORKED, on);
  }

  /** Its IPv6 datagrams go without a checksum (UDP_NO_CHECK6_TX, RFC 6935 §5). */
  get unsummedSent(): boolean {
    return (this.#bits & UNSUMMED_SENT) !== 0;
  }
  set unsummedSent(on: boolean) {
    this.#put(UNSUMMED_SENT, on);
  }

  /** It takes IPv6 datagrams that have none (UDP_NO_CHECK6_RX). */
  get unsummedReceived(): boolean {
    return (this.#bits & UNSUMMED_RECEIVED) !== 0;
  }
  set unsummedReceived(on: boolean) {
    this.#put(UNSUMMED_RECEIVED, on);
  }

  /** The interface of its peer's scope, which is `ifindex` until it disconnects; 0: `ifindex` is its own. */
  get peerScope(): number {
    return this.#rare === null ? 0 : this.#rare.peerScope;
  }
  set peerScope(ifindex: number) {
    if (ifindex !== this.peerScope) this.#made().peerScope = ifindex;
  }

  /** What it sends is cut into datagrams of so many bytes (UDP_SEGMENT); 0: it is not. */
  get segmentBytes(): number {
    return this.#rare === null ? 0 : this.#rare.segmentBytes;
  }
  set segmentBytes(sizeBytes: number) {
    if (sizeBytes !== this.segmentBytes) this.#made().segmentBytes = sizeBytes;
  }

  /** The datagram that grows while the socket is corked; null: there is none. */
  get cork(): Cork | null {
    return this.#rare === null ? null : this.#rare.cork;
  }
  set cork(cork: Cork | null) {
    if (cork !== this.cork) this.#made().cork = cork;
  }

  /** What its protocol keeps of it; null: nothing. */
  get own(): object | null {
    return this.#rare === null ? null : this.#rare.own;
  }
  set own(own: object | null) {
    if (own !== this.own) this.#made().own = own;
  }

  /** How many of its packets have left that were to be stamped (SOF_TIMESTAMPING_OPT_ID); wraps. */
  nextStamp(): number {
    const rare = this.#made();
    const key = rare.stamps;
    rare.stamps = (rare.stamps + 1) | 0;
    return key;
  }

  #made(): RareState {
    this.#rare ??= new RareState();
    return this.#rare;
  }

  #put(bit: number, on: boolean): void {
    this.#bits = on ? this.#bits | bit : this.#bits & ~bit;
  }
}

export function stateOf(sock: SockCommon): DatagramState {
  return sock.ext as DatagramState;
}

/** Puts a packet last of those that wait. It must be in no queue. */
export function appendWaiting(state: DatagramState, skb: Skb): void {
  const { last } = state;
  skb.next = last === null ? skb : last.next;
  if (last !== null) last.next = skb;
  state.last = skb;
}

/** The one that came after it; null: it is the last. */
export function nextWaiting(state: DatagramState, skb: Skb): Skb | null {
  return skb === state.last ? null : skb.next;
}

/** Takes the first of those that wait. */
export function takeWaiting(state: DatagramState, first: Skb): void {
  if (state.last === first) state.last = null;
  else state.last!.next = first.next;
  first.next = null;
}

/** Has a peer: its remote end is set. */
export function isConnected(sock: SockCommon): boolean {
  return (sock.remote0 | sock.remote1 | sock.remote2 | sock.remote3) !== 0;
}

/** What options of its protocol say of a datagram socket. Only of sockets of this library. */
export function datagramOptions(
  sock: SockCommon,
): Pick<DatagramState, 'segmentBytes' | 'takesMerged' | 'corked' | 'unsummedSent' | 'unsummedReceived' | 'own'> {
  return stateOf(sock);
}
