import type { Owner } from './held.ts';
import type { ControlMessage, Message } from './message.ts';
import type { PacketOptions } from './packet-options.ts';
import type { Skb } from './skb.ts';
import type { SockCommon } from './sock-common.ts';
import { definePoint, defineService } from './token.ts';

/** Where sockets are made. A **door** of the socket module. Callers: faces, and modules that talk over sockets. */
export interface Sockets {
  /**
   * A new socket, held for `owner`. Asks the {@link SocketProtocol} of family, type and protocol.
   * @param protocol 0: the family's usual one for the type.
   * @throws NetError EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT; ESHUTDOWN when the protocol is leaving; ENOBUFS.
   */
  open(family: number, type: number, protocol: number, owner: Owner): SockCommon;
}
export const Sockets = defineService<Sockets>({ name: 'sockets', version: '1.0.0', errno: 'EAFNOSUPPORT' });

/** A protocol that sockets can be made of. A **door**: taken at stage 1. Linux's `inet_register_protosw` and `net_proto_family`. */
export interface SocketProtocol {
  readonly name: string;
  /** 0: every family that has a live `NetworkLayer`. */
  readonly family: number;
  /** One of `SOCK_TYPE`. */
  readonly type: number;
  /** -1: any that is asked for, where nobody names it: of raw and packet sockets. */
  readonly protocol: number;
  /** True: the usual one of its type, for `protocol` 0. */
  readonly usual: boolean;
  /**
   * Makes the socket, with `ops` and `ext`, and holds it for `owner`. What it took before it fails, it gives back (row I7).
   * @param protocol that was asked for, 0: the usual one.
   * @throws NetError ENOBUFS, EACCES, ESHUTDOWN.
   */
  open(family: number, owner: Owner, protocol: number): SockCommon;
}
export const SocketProtocol = definePoint<SocketProtocol>({ name: 'socket-protocol', version: '1.0.0' });

/**
 * Whose sockets stand in the flow table, and have ports: a **corridor** of each protocol with sockets. When the socket module is replaced, its next generation finds them by
 * this; one whose sockets it does not find cannot be replaced.
 */
export interface SocketHolder {
  readonly name: string;
  /** All sockets of this generation, in the order in which they were made. */
  readonly sockets: Iterable<SockCommon>;
}
export const SocketHolder = definePoint<SocketHolder>({ name: 'socket-holder', version: '1.0.0' });

/**
 * Options of a level that is not the socket's protocol's own: SOL_IP and SOL_IPV6 by their layers, joining groups
 * included. A **corridor**. SOL_SOCKET is the socket module's.
 */
export interface OptionLevel {
  /** Linux's `SOL_*`. */
  readonly level: number;
  /** 0, or -errno. The value as in Linux's ABI. */
  set(sock: SockCommon, name: number, value: Uint8Array): number;
  /** Bytes written into `value`, or -errno. */
  get(sock: SockCommon, name: number, value: Uint8Array): number;
  /** The socket is closed: memberships and the like end. */
  closed(sock: SockCommon): void;
  /**
   * Of a packet that a socket with SOCK_FLAG.ANCILLARY is given: puts what it has asked of this level behind `message.control`, by `putControl`.
   * `skb.network` and `transport` are at the headers. Not there: the level has no ancillary data.
   */
  received?(sock: SockCommon, skb: Skb, message: Message): void;
  /**
   * Of a datagram socket with SOCK_FLAG.ANCILLARY that receives: true, there is something to be said that comes with no packet (IPV6_RECVPATHMTU). It is in `message` then, address
   * and control messages, and is not said again. Not there: never.
   */
  alone?(sock: SockCommon, message: Message): boolean;
  /**
   * Of the latest packet in order of a stream with SOCK_FLAG.ANCILLARY, which tells nothing with its bytes: keeps what was asked of this level, for IP_PKTOPTIONS and IPV6_2292PKTOPTIONS to
   * say. Also of what made it, when it is accepted. The skb is as for `received`. Not there: it keeps nothing.
   */
  noted?(sock: SockCommon, skb: Skb): void;
  /** Of a report in an error queue that says when a packet left: puts the time as SCM_TIMESTAMPING has it. SOL_SOCKET's. @param stampUs kernel µs, wrapping int32. */
  stamped?(stampUs: number, message: Message): void;
  /** Of a message to be sent: what one of its control messages, of this level, says. 0, or -EINVAL: it means nothing, or is malformed. */
  sending?(sock: SockCommon, control: ControlMessage, packet: PacketOptions): number;
}
export const OptionLevel = definePoint<OptionLevel>({ name: 'option-level', version: '1.0.0' });
