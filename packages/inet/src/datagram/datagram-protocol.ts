import type { DropReason, Flow, Message, NetworkLayer, PacketOptions, Skb, SockCommon } from '@softnet/contract';

/** What tells one datagram protocol from another: UDP, UDP-Lite, ping. Stateless; {@link DatagramSockets} does the rest. */
export interface DatagramProtocol {
  /** 'udp': of its sockets' operations, and of places in lists. */
  readonly name: string;
  /** IP protocol of a socket of this family. The same for both: its IPv6 sockets may be dual-stack. @param asked for, when it was opened: a raw one's. */
  readonly number: (family: number, asked: number) => number;
  /** What is put before the payload. 0: the user's bytes are the header too (ping). */
  readonly headerBytes: number;
  /** True: a peer has a port, without which nothing can be sent to it. False: only we have one (ping's identifier). */
  readonly peerPorts: boolean;
  /** Is this message sent as it is? 0, or -errno. `lenBytes` of payload; that it fits into a datagram is seen to. */
  check(sock: SockCommon, lenBytes: number, message: Message): number;
  /**
   * Writes the header at `skb.data` = `skb.transport`, which lies in the head, checksum or CHECKSUM.PARTIAL included.
   * `flow` says both ends. The payload behind it may lie in fragments, and is not to be written.
   */
  write(skb: Skb, sock: SockCommon, flow: Flow, layer: NetworkLayer): void;
  /** A received packet, `data` = `transport`: false: it is dropped, with a reason, and taken. True: `data` is at the payload, `len` is right. */
  read(skb: Skb, sock: SockCommon): boolean;
  /** The port of the sender, for `recvfrom`: of a packet that `read` said true of. */
  remotePort(skb: Skb): number;
  /** The port that a packet of ours went to, of one that an error quotes: `transport` at its header. Not there: none has a port. */
  sentPort?(skb: Skb): number;
  /** True: a socket has no port to be bound to, and is bound to any address from the first (raw). Not there: it has. */
  readonly portless?: boolean;
  /** True: a socket is not bound to groups, nor to all on a link (ping). Not there: it may be. */
  readonly bindsToHosts?: boolean;
  /** True: what the user gives begins with the network header, which `write` finishes; it is no longer than the way's MTU. Not there: never. */
  hasNetworkHeader?(sock: SockCommon): boolean;
  /** Options of its own, whatever their level: 0, or -errno; null: it is not one of those. */
  setOption?(sock: SockCommon, level: number, name: number, value: Uint8Array): number | null;
  /** The same: bytes written, or -errno, or null. */
  getOption?(sock: SockCommon, level: number, name: number, value: Uint8Array): number | null;
  /** Null, or not there: it merges and cuts nothing. */
  readonly bursts?: DatagramBursts | null;
}

/** What a protocol does with packets that stand for several datagrams (rows S7, T): those of one without it are sent and received as they are. */
export interface DatagramBursts {
  /** The bit of `DEVICE_FEATURE` of devices that are given them whole. */
  readonly gsoType: number;
  /** Bytes of payload of each datagram that this one is cut into; 0: it is one. Or -errno. @param packet what its control messages say; null: nothing. */
  sizeOf(sock: SockCommon, packet: PacketOptions | null): number;
  /** Does the socket take merged datagrams as they come? The protocol's `OptionLevel.received` tells it their size. */
  takesWhole(sock: SockCommon): boolean;
}

/** Why packets are dropped on their way into a socket. */
export interface DatagramReasons {
  /** Its user does not take them: more than SO_RCVBUF has come. */
  readonly full: DropReason;
  /** Its user has shut it for receiving, or closed it. */
  readonly shut: DropReason;
}
