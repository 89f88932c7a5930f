import type { DstUse } from './dst.ts';
import { Held } from './held.ts';
import type { SocketGroups } from './multicast-groups.ts';
import type { NetworkLayer } from './network-layer.ts';
import type { PacketFilter } from './packet-filter.ts';
import type { SockOps } from './sock-ops.ts';

/**
 * A socket, as everybody but its protocol sees it: its place in the flow table, what its packets carry, what it may
 * use. It is the hold that its user has on the protocol. 304 bytes in Node, holds included: each field takes eight, so small numbers share one. Linux's `struct sock_common`.
 */
export class SockCommon extends Held {
  // What the flow table reads of each socket that it looks at stands together: so it costs few lines of the cache.
  /** Ends of its flow; zeros: any. Four words: see {@link Flow}. Other families than IP keep their own addresses here. */
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  /** Local << 16 | remote. */
  #ports = 0;
  /** Family << 24 | error << 16 | protocol. */
  #small = 0;
  /** Interface that it is bound to (SO_BINDTODEVICE, or a link-local address's); 0: any. */
  ifindex = 0;
  /** Bits of {@link SOCK_FLAG}. */
  flags = 0;
  /** Its place in the flow table; of a connected one the hash of its flow, also for `skb.hash`. Written by the socket module only. */
  hash = 0;
  hashNext: SockCommon | null = null;
  /** The protocol's own states. 0: just made, or closed. */
  state = 0;
  /** What packets and users meet: of the generation that made it, whichever is live. */
  ops: SockOps;
  /** Its way through IP; a dual-stack socket's by its peer's family. Null: a family without one, or not known yet. */
  layer: NetworkLayer | null = null;
  /** Its route, and its hold on the layer. Null: it has no route; one that is bound has the hold put off (`Objects.defer`), as long as nobody asks. */
  dst: DstUse | null = null;
  /**
   * Called when what `calls.poll` says may have changed, or come anew. Set by its user's face.
   * @param bits of POLL that it is about, as far as its protocol knows: POLL.IN of new data, POLL.OUT of new room. Who watches by edge (EPOLLET) is told of no other. Not said: of any.
   */
  wake: ((sock: SockCommon, bits?: number) => void) | null = null;
  /** The protocol's own. */
  ext: object | null = null;
  /** The face's own: a descriptor, a node:net socket. */
  user: object | null = null;
  /** What was set otherwise than usual; null: nothing, as for most. */
  options: SockOptions | null = null;
  /** Bytes (truesize) charged for sending and receiving. */
  sendQueuedBytes = 0;
  receiveQueuedBytes = 0;

  constructor(ops: SockOps) {
    super();
    this.ops = ops;
  }

  /** One of `ADDRESS_FAMILY`, up to 255. */
  get family(): number {
    return this.#small >>> 24;
  }
  set family(family: number) {
    this.#small = (this.#small & 0xffffff) | (family << 24);
  }

  /** IP's number, or an ethertype: 16 bits. */
  get protocol(): number {
    return this.#small & 0xffff;
  }
  set protocol(protocol: number) {
    this.#small = (this.#small & ~0xffff) | protocol;
  }

  /** Host order (row I3). 0: none yet; any. */
  get localPort(): number {
    return this.#ports >>> 16;
  }
  set localPort(port: number) {
    this.#ports = (this.#ports & 0xffff) | (port << 16);
  }

  get remotePort(): number {
    return this.#ports & 0xffff;
  }
  set remotePort(port: number) {
    this.#ports = (this.#ports & ~0xffff) | port;
  }

  /** SO_ERROR: a positive errno, up to 255, that the next call gives and clears; 0: none. */
  get error(): number {
    return (this.#small >>> 16) & 0xff;
  }
  set error(errno: number) {
    this.#small = (this.#small & ~0xff0000) | (errno << 16);
  }
}

/** Options that most sockets never set: made at the first that differs, so that an idle socket stays small. */
export class SockOptions {
  /** SO_MARK and SO_PRIORITY: go into its packets. int32. */
  mark = 0;
  priority = 0;
  /** User for whom it sends. */
  uid = 0;
  /** SO_SNDBUF and SO_RCVBUF, in bytes of truesize. */
  sendLimitBytes = SOCK_BUFFER_BYTES;
  receiveLimitBytes = SOCK_BUFFER_BYTES;
  /** Its layer's own: options of that level (TTL, memberships); null: all as usual. */
  layer: object | null = null;
  /** The same of IPv4, of an IPv6 socket that has IPv4 flows too. */
  mappedLayer: object | null = null;
  /** By which interface what it sends to single hosts leaves, where it is bound to none; 0: by its route. IP_UNICAST_IF, IPV6_UNICAST_IF. */
  unicastIfindex = 0;
  unicastIfindex6 = 0;
  /** Of groups: what it has joined, and how it sends to them; null: nothing. */
  groups: SocketGroups | null = null;
  /** SO_ATTACH_FILTER: what it is given of its packets; null: all. */
  filter: PacketFilter | null = null;
  /** Reports that wait to be read by MSG_ERRQUEUE (RECVERR, timestamps); null: none ever came. Of the protocol's making. */
  errors: object | null = null;
  /** SO_RCVLOWAT: POLL.IN says so many bytes; of streams. */
  receiveLowBytes = 1;
  /** SO_RCVTIMEO and SO_SNDTIMEO: how long a face that blocks waits, µs; 0: for ever. */
  receiveTimeoutUs = 0;
  sendTimeoutUs = 0;
  /** The user has said how large a buffer is, so nobody tunes it: 1 for sending, 2 for receiving. SO_SNDBUF, SO_RCVBUF, SO_BUF_LOCK. */
  bufferLocks = 0;
  /** SO_INCOMING_CPU, as it was set; -1: it was not. */
  incomingCpu = -1;
  /** IP_LOCAL_PORT_RANGE: lowest and highest << 16 of ports that may be chosen, where they are within the setting's range; 0: as the setting has it. int32. */
  portRange = 0;
  /** SO_LINGER: how long `close` waits for what is not sent, seconds; -1: it does not wait. */
  lingerSec = -1;
  /** SO_PEEK_OFF: where the next peek begins; -1: at the front. */
  peekOffsetBytes = -1;
  /** SOF_TIMESTAMPING_* of SO_TIMESTAMPING; 0: none. */
  timestamping = 0;
  /** Bits of SOL_SOCKET's ancillary data that it wants: the socket module's own. */
  ancillary = 0;
  /** Packets that it had no room for (SO_RXQ_OVFL); counted by the protocol, from when the option is set. */
  overflows = 0;
}

/** What a socket may have queued each way unless its options say otherwise. Linux's default of `net.core.rmem_default`. */
export const SOCK_BUFFER_BYTES = 212992;

/** Linux's `SOCK_*`. Open. */
export const SOCK_TYPE = Object.freeze({ STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5, DCCP: 6, PACKET: 10 } as const);

/** What is said of a socket by one bit. */
export const SOCK_FLAG = Object.freeze({
  REUSEADDR: 0x1,
  REUSEPORT: 0x2,
  /** An IPv6 socket that takes no IPv4 flow. */
  V6ONLY: 0x4,
  BROADCAST: 0x8,
  KEEPALIVE: 0x10,
  /** Finds matches for any remote end: listens, or is bound. */
  LISTENING: 0x20,
  /** Its door is shut (stage 1): it is found, and stays silent. */
  PARKED: 0x40,
  /** Wants reports of ICMP errors in its error queue (IP_RECVERR). */
  RECVERR: 0x80,
  /** The user has closed it; what follows is the protocol's. */
  ORPHAN: 0x100,
  /** Its port was chosen by bind, and stays when it disconnects. */
  PORT_BOUND: 0x200,
  /** Has asked some level for ancillary data: `OptionLevel.received`. */
  ANCILLARY: 0x400,
  /** SO_NO_CHECK: IPv4 datagrams are sent without a checksum (RFC 768). */
  NO_CHECK: 0x800,
  /** SO_DONTROUTE: only who is on a link of ours is reached. */
  DONTROUTE: 0x1000,
  /** SO_OOBINLINE: urgent data stay in the stream. */
  OOBINLINE: 0x2000,
  /** IP_FREEBIND, IP_TRANSPARENT and their kin: it may have an address that is not this host's. */
  FREEBIND: 0x100000,
  /** IP_BIND_ADDRESS_NO_PORT: bind with port 0 takes the address alone, and a port comes with the first use. */
  BIND_NO_PORT: 0x200000,
  /** SO_SELECT_ERR_QUEUE: POLL.PRI is said with POLL.ERR while reports wait. */
  SELECT_ERRORS: 0x400000,
  /** It has its port; and others may be given it too. Written by the socket module only. */
  PORT_CLAIMED: 0x4000,
  PORT_SHARED: 0x8000,
  /** SO_LOCK_FILTER: its filter stays. */
  FILTER_LOCKED: 0x10000,
} as const);
