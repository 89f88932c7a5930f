import type { Skb } from './skb.ts';

/** A socket's address, of any family. Kept and filled anew by its user. Linux's `struct sockaddr_*`. */
export class SockAddress {
  family = 0;
  /** Four words: see {@link Flow}. Other families: their own. */
  address0 = 0;
  address1 = 0;
  address2 = 0;
  address3 = 0;
  /** Host order. */
  port = 0;
  /**
   * Scope of a link-local address, or a packet socket's interface; 0: none. Of a packet socket `port` is the ethertype, `address0` is hardware type << 16 | packet
   * type << 8 | length of the link address, which stands in `address1` and `address2`, most significant byte first.
   */
  ifindex = 0;
}

/** Ancillary data (pktinfo, TTL, TOS, timestamps, queued errors): made only when asked for. Linux's `struct cmsghdr`. */
export class ControlMessage {
  level = 0;
  type = 0;
  /** As in Linux's ABI, little-endian. */
  data: Uint8Array;
  next: ControlMessage | null = null;

  constructor(level: number, type: number, data: Uint8Array) {
    this.level = level;
    this.type = type;
    this.data = data;
  }
}

/** What a send or receive call works on. Kept and filled anew by its user. Linux's `struct msghdr`. */
export class Message {
  /** What is sent, or where to put it; null with {@link MESSAGE_FLAG}.SKB. */
  data: Uint8Array | null = null;
  /** The rest of a gathered or scattered one. */
  more: readonly Uint8Array[] | null = null;
  /** Sending: to whom, when `hasAddress`. Receiving: from whom; sets `hasAddress`. */
  address = new SockAddress();
  hasAddress = false;
  /** Bits of {@link MESSAGE_FLAG}, in and out. */
  flags = 0;
  control: ControlMessage | null = null;
  /** Receiving: control messages of the call before, to be filled anew by {@link putControl}. */
  spareControl: ControlMessage | null = null;
  /** With SKB: the packet itself, payload at `data`, without a copy (row S4). Who gets it frees it. */
  skb: Skb | null = null;
}

/**
 * Puts a control message of so many bytes behind `message.control`, and gives its bytes to be written: all of them, as they are not cleared. Who calls again and
 * again with one message and asks for the same, makes no garbage.
 */
export function putControl(message: Message, level: number, type: number, lenBytes: number): Uint8Array {
  let control = message.spareControl;
  if (control === null) control = new ControlMessage(level, type, new Uint8Array(lenBytes));
  else {
    message.spareControl = control.next;
    control.level = level;
    control.type = type;
    if (control.data.length !== lenBytes) control.data = new Uint8Array(lenBytes);
  }
  control.next = null;
  let last = message.control;
  if (last === null) message.control = control;
  else {
    while (last.next !== null) last = last.next;
    last.next = control;
  }
  return control.data;
}

/** Before a receive call fills it: what the last one put there is spare. */
export function clearControl(message: Message): void {
  if (message.control === null) return;
  message.spareControl = message.control;
  message.control = null;
}

/** Linux's `MSG_*`. */
export const MESSAGE_FLAG = Object.freeze({
  OOB: 0x1,
  PEEK: 0x2,
  DONTROUTE: 0x4,
  CTRUNC: 0x8,
  /** Sent: only the way is looked up, and nothing leaves. */
  PROBE: 0x10,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  EOR: 0x80,
  WAITALL: 0x100,
  CONFIRM: 0x800,
  ERRQUEUE: 0x2000,
  NOSIGNAL: 0x4000,
  MORE: 0x8000,
  /** Received: as the packet in `message.skb`. Ours; Linux has no such flag. */
  SKB: 0x100000,
  ZEROCOPY: 0x4000000,
  FASTOPEN: 0x20000000,
} as const);
