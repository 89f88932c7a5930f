import type { ControlMessage, SockCommon } from '@softnet/contract';
import { SkbQueue } from '@softnet/contract';

/** What a datagram socket has beside its {@link SockCommon}: its `ext`. */
export class DatagramState {
  /** Received and not taken yet, payload at `data`. */
  readonly queue: SkbQueue = new SkbQueue();
  /** Bits of `SocketCalls.shutdown`: 1 receiving, 2 sending. */
  shut = 0;
  /** Bind named an address, which stays when the socket disconnects. */
  addressBound = false;
  /** The interface of its peer's scope, which is `ifindex` until it disconnects; 0: `ifindex` is its own. */
  peerScope = 0;
  /** In bind or connect: of two at once the later is refused (row I4). */
  changing = false;
  /** A send was told EAGAIN: wake when there is room. */
  blocked = false;
  closed = false;
  /** What it sends is cut into datagrams of so many bytes (UDP_SEGMENT); 0: it is not. */
  segmentBytes = 0;
  /** It takes merged datagrams whole (UDP_GRO). */
  takesMerged = false;
  /** What tells the size of merged ones: kept, and filled anew by each call of `receive`. */
  control: ControlMessage | null = null;
  /** Its user's `wake` has thrown once. */
  wakeThrew = false;
}

export function stateOf(sock: SockCommon): DatagramState {
  return sock.ext as DatagramState;
}

/** Has a peer: its remote end is set. */
export function isConnected(sock: SockCommon): boolean {
  return (sock.remote0 | sock.remote1 | sock.remote2 | sock.remote3) !== 0;
}

/** What options of its protocol say of a datagram socket's bursts. Only of sockets of this library. */
export function burstOptions(sock: SockCommon): Pick<DatagramState, 'segmentBytes' | 'takesMerged'> {
  return stateOf(sock);
}
