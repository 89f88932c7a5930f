import type { ErrorReport, NetworkLayer, RawTap, Skb, SockCommon, SocketDemux } from '@softnet/contract';
import { ADDRESS_FAMILY, FlowKey, hearsGroup, isGroup } from '@softnet/contract';
import type { RawProtocol } from './raw-protocol.ts';

const PROTOCOLS = 256;
const NOBODY: readonly SockCommon[] = Object.freeze([]);

/** Raw sockets, by protocol: each that a packet concerns has a clone of it. Linux's `raw_hashinfo`. */
export class RawTable implements SocketDemux, RawTap {
  readonly name: string = 'raw';
  /** Of each protocol those that are open; a list is replaced whole. */
  readonly #lists: (readonly SockCommon[])[] = Array.from({ length: PROTOCOLS }, () => NOBODY);
  readonly #protocol: RawProtocol;
  readonly #key = new FlowKey();
  /** Who hears of an error may send, and so cause the next. */
  readonly #errorKey = new FlowKey();

  constructor(protocol: RawProtocol) {
    this.#protocol = protocol;
  }

  insert(sock: SockCommon): void {
    const list = this.#lists[sock.protocol]!;
    if (!list.includes(sock)) this.#lists[sock.protocol] = [...list, sock];
  }

  remove(sock: SockCommon): void {
    this.#lists[sock.protocol] = this.#lists[sock.protocol]!.filter((each) => each !== sock);
  }

  /** Packets come by {@link RawTable.copy} only. */
  deliver(): boolean {
    return false;
  }

  find(): null {
    return null;
  }

  copy(skb: Skb, protocol: number, layer: NetworkLayer): boolean {
    const sockets = this.#lists[protocol] ?? NOBODY;
    let isRead = false;
    let isKeyRead = false;
    for (let i = 0; i < sockets.length; i++) {
      const sock = sockets[i]!;
      if (sock.family !== layer.family) continue;
      if (!isKeyRead) layer.readKey(skb, this.#key);
      isKeyRead = true;
      if (!concerns(sock, this.#key)) continue;
      isRead = true;
      if (this.#protocol.blocks(sock, skb)) continue;
      // Out of memory is counted by the pool.
      const clone = skb.memory.pool.clone(skb);
      if (clone !== null) sock.ops.input(sock, clone);
    }
    return isRead;
  }

  /** The embedded packet is one of ours: its source is the local end. */
  error(skb: Skb, protocol: number, layer: NetworkLayer, report: ErrorReport): boolean {
    const sockets = this.#lists[protocol] ?? NOBODY;
    let isTaken = false;
    for (let i = 0; i < sockets.length; i++) {
      const sock = sockets[i]!;
      if (sock.family !== layer.family) continue;
      layer.readKey(skb, this.#errorKey);
      if (!hasSent(sock, this.#errorKey)) continue;
      isTaken = true;
      sock.ops.error(sock, skb, report);
    }
    return isTaken;
  }
}

/** A packet from the key's remote end to its local one. */
function concerns(sock: SockCommon, key: FlowKey): boolean {
  const { local0, local1, local2, local3 } = key;
  if (sock.ifindex !== 0 && sock.ifindex !== key.ifindex) return false;
  if (!isRemote(sock, key.remote0, key.remote1, key.remote2, key.remote3)) return false;
  const isHere = isLocal(sock, local0, local1, local2, local3);
  if (!isGroup(local0, local1, local2, local3)) return isHere;
  // As in Linux: over IPv4 both must fit, over IPv6 either; and who is bound to nothing there is not asked for memberships.
  return sock.family === ADDRESS_FAMILY.INET6 ? isHere || hearsGroup(sock, key) : isHere && hearsGroup(sock, key);
}

/** A packet the other way, about which an error has come in: by the socket's own interface, if it is bound to one. */
function hasSent(sock: SockCommon, key: FlowKey): boolean {
  if (sock.ifindex !== 0 && key.ifindex !== 0 && sock.ifindex !== key.ifindex) return false;
  return (
    isRemote(sock, key.local0, key.local1, key.local2, key.local3) && isLocal(sock, key.remote0, key.remote1, key.remote2, key.remote3)
  );
}

function isRemote({ remote0, remote1, remote2, remote3 }: SockCommon, word0: number, word1: number, word2: number, word3: number): boolean {
  if ((remote0 | remote1 | remote2 | remote3) === 0) return true;
  return remote0 === word0 && remote1 === word1 && remote2 === word2 && remote3 === word3;
}

function isLocal({ local0, local1, local2, local3 }: SockCommon, word0: number, word1: number, word2: number, word3: number): boolean {
  if ((local0 | local1 | local2 | local3) === 0) return true;
  return local0 === word0 && local1 === word1 && local2 === word2 && local3 === word3;
}
