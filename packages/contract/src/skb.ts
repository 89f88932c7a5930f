import type { Dst } from './dst.ts';
import type { Fragment, PacketMemory } from './packet-memory.ts';
import type { SockCommon } from './sock-common.ts';

/**
 * A packet: where its bytes lie, and what the layers say to one another about it. Made and recycled by a
 * {@link SkbPool}; it has exactly one owner at any time, who passes it on or frees it (row S2).
 *
 * Offsets are absolute in `memory.bytes`; there is one way to find each header, and lengths of headers are differences
 * (MAC: `network - mac`). All numbers are integers that fit int32.
 *
 * 35 fields: 304 bytes in Node (24, and 8 for each field), 152 in browsers, which compress pointers. Linux: 232, and
 * 320 of `skb_shared_info` behind each buffer, where its fragments and gso fields are.
 */
export class Skb {
  memory: PacketMemory;
  /** In the queue or batch that owns it; null outside of one. */
  next: Skb | null = null;
  /** Payload behind the head, in order. */
  fragments: Fragment | null = null;
  /** Its route, from the lookup until the neighbour has written the link header. Not counted: see {@link DstUse}. */
  dst: Dst | null = null;
  /**
   * The socket whose memory pays for it: the sender's, then the receiver's. Its `ops.released` is called when the skb
   * is freed. Null once orphaned (it leaves this kernel, or nobody pays).
   */
  sock: SockCommon | null = null;
  /** Values by `SkbSlot.index`, {@link SKB_SLOTS} long; made at the first write and kept, emptied, when recycled. */
  slots: unknown[] | null = null;

  /** First byte of the buffer; `data - head` is the headroom. */
  head = 0;
  /** First byte of the packet, as the present layer sees it. */
  data = 0;
  /** Behind its last byte in the head; `end - tail` is the tailroom. */
  tail = 0;
  /** Behind the last byte of the buffer. */
  end = 0;
  /** Bytes from `data` on, with the fragments'. */
  len = 0;
  /** Link header. -1: none. */
  mac = -1;
  /** IPv4, IPv6, ARP or MPLS header; of a tunnelled packet, the one that is being handled. -1: not found yet. */
  network = -1;
  /** TCP, UDP, ESP ... header. -1: not found yet. */
  transport = -1;

  /** Interface it came in by, a VLAN's or tunnel's own above the real one's; 0: made here. */
  ifindex = 0;
  /** Receive queue; from the egress filter on, transmit queue. */
  queue = 0;
  /** Ethertype, host order. */
  protocol = 0;
  /** One of {@link SKB_TYPE}. */
  type = 0;

  /** The firewall mark: 32 bits, int32. */
  mark = 0;
  /** Of the qdiscs: a class as major << 16 | minor, or 0 to 15. int32. */
  priority = 0;
  /** Of the flow, the same in all its packets; 0: not computed. int32. */
  hash = 0;
  /** VLAN tag taken off the frame, or to be put on: TPID << 16 | TCI, int32. 0: none. */
  vlan = 0;

  /** One of {@link CHECKSUM}: what is known of the transport checksum. */
  checksum = 0;
  /** COMPLETE: the folded 16-bit sum from `network` to the end. PARTIAL: (start - head) << 16 | offset of the field behind start. */
  csum = 0;
  /** Payload bytes in each segment that it stands for; 0: a single packet. */
  gsoSize = 0;
  /** How many segments it stands for: merged by GRO, or to be cut. 0: a single packet. */
  gsoSegs = 0;
  /** The bits of `DEVICE_FEATURE` that a device must have to be given it uncut. */
  gsoType = 0;
  /** Sent: earliest departure (RFC 8877 kin, Linux's EDT), 0 for at once. Received: arrival. Kernel µs, wrapping int32. */
  timeUs = 0;
  /** Bytes charged to `sock` for it: buffer, fragments and this record. */
  truesize = 0;
  /** Bits of {@link SKB_FLAG}. */
  flags = 0;
  /** How often it went through the {@link Backlog}. */
  reentries = 0;

  /** Control block: int32 words that belong to the layer which has the skb, undefined when it arrives there. More: take a slot. */
  cb0 = 0;
  cb1 = 0;
  cb2 = 0;
  cb3 = 0;

  constructor(memory: PacketMemory) {
    this.memory = memory;
  }
}

/** How many slots an skb has for modules: see `ModuleContext.skbSlot`. */
export const SKB_SLOTS = 8;

/** For whom a frame is, as the device saw it. Linux's `PACKET_*`. */
export const SKB_TYPE = Object.freeze({
  HOST: 0,
  BROADCAST: 1,
  MULTICAST: 2,
  OTHERHOST: 3,
  OUTGOING: 4,
  LOOPBACK: 5,
} as const);

/** Linux's `CHECKSUM_*`. */
export const CHECKSUM = Object.freeze({
  /** Nothing known (in); already written, or none wanted (out). */
  NONE: 0,
  /** In: verified by device or sender. */
  UNNECESSARY: 1,
  /** In: `csum` has the sum of the whole packet. */
  COMPLETE: 2,
  /** Out: the field holds the pseudo-header's sum; the device, or the last step before it, finishes. */
  PARTIAL: 3,
} as const);

/** Marks that travel with a packet. */
export const SKB_FLAG = Object.freeze({
  /** Its sender has forward progress: sending it confirms the neighbour (RFC 4861 §7.3.1). */
  CONFIRM_NEIGHBOUR: 1,
  /** An action sent it to another device: filters let it pass, once. */
  REDIRECTED: 2,
  /** May be fragmented here whatever its DF bit says. Linux's `ignore_df`. */
  IGNORE_DF: 4,
  /** The IPv4 packets that it stands for have all the same identification, not one more each. Linux's `SKB_GSO_TCP_FIXEDID`. */
  FIXED_ID: 8,
  /** It waits in a socket, and its user has looked at it: SO_PEEK_OFF steps over what is empty once. */
  PEEKED: 16,
  /** Its socket wants to know when it left (SO_TIMESTAMPING): `ops.released` is that moment. */
  STAMP: 32,
} as const);
