import { ERRNO } from './errno.ts';
import type { FlowKey } from './flow.ts';
import type { Skb } from './skb.ts';
import type { SockCommon } from './sock-common.ts';
import { defineService } from './token.ts';

/**
 * The flow table: which socket a packet is for. It belongs to the socket module, so that sockets of a leaving protocol
 * still get theirs. A **corridor**. Callers: network layers (deliver, find), protocols (insert, remove).
 */
export interface SocketDemux {
  /**
   * Gives the packet to the socket that matches best (all ends, then local end, then port; REUSEPORT by flow hash), a
   * multicast one to all that match, by clones: calls `ops.input`. False: none does, and the skb is as it was.
   */
  deliver(skb: Skb, key: FlowKey): boolean;
  /** The socket whose flow this is, for errors about its packets; null: none. */
  find(key: FlowKey): SockCommon | null;
  /** Packets for its ends find it from now on: it is bound (UDP), listens, is accepted, or its ends have changed. */
  insert(sock: SockCommon): void;
  /** Takes it out and gives its port back. Does nothing if it is not there. */
  remove(sock: SockCommon): void;
}
export const SocketDemux = defineService<SocketDemux>({
  name: 'socket-demux',
  version: '1.0.0',
  methods: ['deliver', 'find', 'insert', 'remove'],
  absent: () => ({ deliver: () => false, find: () => null, insert: () => {}, remove: () => {} }),
});

/** Ports and ends for those who come in: a **door**. Callers: protocols, in `bind`, `connect` and `listen`. */
export interface SocketPorts {
  /**
   * Claims the local end that the socket's fields say, by REUSEADDR, REUSEPORT, V6ONLY and interface; `localPort` 0
   * chooses one (RFC 6056) and writes it. Returns 0, -EADDRINUSE, -EACCES. Packets find it when it is inserted.
   * Also of a stream that has its port and begins to listen, SOCK_FLAG.LISTENING being set: who listens keeps others from it. Refused, it has the port as before.
   */
  bind(sock: SockCommon): number;
  /**
   * Claims the whole flow that its fields say, and inserts it; `localPort` 0 chooses one that hashes to this shard. Who has the flow may leave it to this one (`SockOps.yields`).
   * Returns 0, -EADDRNOTAVAIL (no port is left, or another keeps the flow), -EADDRINUSE (others have the port, and it has not).
   */
  connect(sock: SockCommon): number;
}
export const SocketPorts = defineService<SocketPorts>({
  name: 'socket-ports',
  version: '1.0.0',
  absent: () => ({ bind: () => -ERRNO.ESHUTDOWN, connect: () => -ERRNO.ESHUTDOWN }),
});
