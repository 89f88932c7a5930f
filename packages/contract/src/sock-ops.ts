import type { ErrorReport } from './error-report.ts';
import type { Owner } from './held.ts';
import type { Message, SockAddress } from './message.ts';
import type { Skb } from './skb.ts';
import type { SockCommon } from './sock-common.ts';

/**
 * What the stack calls on a socket: of its protocol, fixed when it is made. A **corridor** by nature: the socket
 * carries it. Stateless; one for all sockets of a protocol.
 */
export interface SockOps {
  /** 'udp'. */
  readonly name: string;
  /** One of `SOCK_TYPE`. */
  readonly type: number;
  /** Takes a packet of its flow; `data` = `transport`. Called by {@link SocketDemux}. */
  input(sock: SockCommon, skb: Skb): void;
  /**
   * An error about a packet that it sent. Does not take the skb.
   * @param skb the embedded packet, `transport` at its header (8 bytes of it at least); null: no packet is at hand.
   */
  error(sock: SockCommon, skb: Skb | null, report: ErrorReport): void;
  /** An skb that was charged to it is freed, or leaves: takes `truesize` off. `skb.type` OUTGOING: it was sending. */
  released(sock: SockCommon, skb: Skb): void;
  /**
   * Leaves its flow to a new connection of this host: a TIME-WAIT, where the new one's first sequence number is beyond all of its own (RFC 6191). True: it has ended, and is out of
   * the flow table. Not there: it never does. @param isChosen the new one's port is being chosen: another would do.
   */
  yields?(sock: SockCommon, young: SockCommon, isChosen: boolean): boolean;
  /** What users call; null: a socket of the kernel's own. */
  readonly calls: SocketCalls | null;
}

/**
 * What faces (posix, node, rings) call on a socket. Nothing blocks and nothing throws: a negative number is an errno;
 * -EAGAIN and -EINPROGRESS mean that `sock.wake` will be called.
 */
export interface SocketCalls {
  bind(sock: SockCommon, address: SockAddress): number;
  /** Ordered: of two at once the later gets -EALREADY (row I4). */
  connect(sock: SockCommon, address: SockAddress): number;
  /** @param backlog unaccepted connections, at most. */
  listen(sock: SockCommon, backlog: number): number;
  /** The next connection, now `owner`'s, or null: none is there (`sock.error` says if there was an error). */
  accept(sock: SockCommon, owner: Owner): SockCommon | null;
  /** Bytes taken, or -errno. */
  send(sock: SockCommon, message: Message): number;
  /** Bytes given, 0 at the end of a stream, or -errno. */
  receive(sock: SockCommon, message: Message): number;
  /** @param how bits: 1 receiving, 2 sending. */
  shutdown(sock: SockCommon, how: number): number;
  /**
   * Idempotent; also on one half built (row I7). Of a stream whose `lingerSec` is above 0 `wake` stays, and is called once more when `queuedBytes(sock, true)` is no longer above 0: the
   * peer has all, the end included, or the connection is gone. Till then a face's close waits.
   */
  close(sock: SockCommon): void;
  /** Bits of {@link POLL}. */
  poll(sock: SockCommon): number;
  /** Bytes that `receive` would give at once (FIONREAD: of datagrams the first one's), or with `sending` those that were not sent, or not acknowledged yet (SIOCOUTQ). Or -errno. */
  queuedBytes(sock: SockCommon, sending: boolean): number;
  /** Of streams: bytes that were not sent even once (SIOCOUTQNSD), or -errno. Not there: it has no such number. */
  unsentBytes?(sock: SockCommon): number;
  /** Of streams with urgent data: 1, the next byte to be read is the mark (SIOCATMARK), 0, or -errno. Not there: it has none. */
  isAtMark?(sock: SockCommon): number;
  /** Of the protocol's own level; others go to `OptionLevel`. The value in `value`, as in Linux's ABI. */
  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number;
  /** Writes into `value`; returns how many bytes, or -errno. */
  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number;
}

/** Linux's `POLL*`. */
export const POLL = Object.freeze({ IN: 0x1, PRI: 0x2, OUT: 0x4, ERR: 0x8, HUP: 0x10, RDHUP: 0x2000 } as const);
