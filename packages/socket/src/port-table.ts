import type { Random, SockCommon } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import { conflicts, isSameFlow, sharesPort } from './port-conflict.ts';

/** How many ports are looked at for one that nobody has, before one that can be shared will do. */
const LOOKS_FOR_UNUSED = 128;

/** Who has which port, by protocol. A socket's `protocol` and `localPort` stay as they are while it has one. */
export class PortTable {
  readonly #random: Random;
  /** Lowest and highest port that is chosen for who names none. */
  readonly #range: () => readonly number[];
  readonly #holders = new Map<number, Set<SockCommon>>();

  constructor(random: Random, range: () => readonly number[]) {
    this.#random = random;
    this.#range = range;
  }

  /** Ports that somebody has. */
  get count(): number {
    return this.#holders.size;
  }

  /**
   * The local end that its fields say; port 0 chooses one. Ports below 1024 are as free as others: there are no
   * privileges in this kernel. 0, -EADDRINUSE.
   */
  bind(sock: SockCommon): number {
    if (sock.localPort !== 0) {
      if (!this.#isFree(sock, sock.localPort)) return -ERRNO.EADDRINUSE;
    } else if (!this.#choose(sock, (port) => this.#isFree(sock, port))) return -ERRNO.EADDRINUSE;
    this.claim(sock);
    return 0;
  }

  /** The whole flow; port 0 chooses one. 0, -EADDRINUSE, -EADDRNOTAVAIL. */
  connect(sock: SockCommon): number {
    if (sock.localPort !== 0) {
      if (this.#hasFlow(sock, sock.localPort)) return -ERRNO.EADDRINUSE;
      if (!this.has(sock) && !this.#isFree(sock, sock.localPort)) return -ERRNO.EADDRINUSE;
    } else if (!this.#chooseForFlow(sock)) return -ERRNO.EADDRNOTAVAIL;
    this.claim(sock);
    return 0;
  }

  has(sock: SockCommon): boolean {
    return this.#holders.get(keyOf(sock.protocol, sock.localPort))?.has(sock) ?? false;
  }

  /** Has it without being asked: an accepted connection has the port of its listener. */
  claim(sock: SockCommon): void {
    const key = keyOf(sock.protocol, sock.localPort);
    const holders = this.#holders.get(key);
    if (holders === undefined) this.#holders.set(key, new Set([sock]));
    else holders.add(sock);
  }

  release(sock: SockCommon): void {
    const key = keyOf(sock.protocol, sock.localPort);
    const holders = this.#holders.get(key);
    if (holders === undefined) return;
    holders.delete(sock);
    if (holders.size === 0) this.#holders.delete(key);
  }

  #isFree(sock: SockCommon, port: number): boolean {
    const holders = this.#holders.get(keyOf(sock.protocol, port));
    if (holders === undefined) return true;
    for (const holder of holders) if (conflicts(sock, holder)) return false;
    return true;
  }

  #hasFlow(sock: SockCommon, port: number): boolean {
    const holders = this.#holders.get(keyOf(sock.protocol, port));
    if (holders === undefined) return false;
    for (const holder of holders) if (isSameFlow(sock, holder)) return true;
    return false;
  }

  /** One that nobody has; where those are rare, one whose holders are no hindrance: other connections, given it like this. */
  #chooseForFlow(sock: SockCommon): boolean {
    let looks = 0;
    let shared = 0;
    const found = this.#choose(sock, (port) => {
      looks++;
      const holders = this.#holders.get(keyOf(sock.protocol, port));
      if (holders === undefined) return true;
      if (shared === 0 && this.#canShare(sock, holders)) shared = port;
      return shared !== 0 && looks >= LOOKS_FOR_UNUSED;
    });
    if (shared === 0) return found;
    if (!found || this.#holders.has(keyOf(sock.protocol, sock.localPort))) sock.localPort = shared;
    return true;
  }

  #canShare(sock: SockCommon, holders: ReadonlySet<SockCommon>): boolean {
    for (const holder of holders) {
      if (isSameFlow(sock, holder) || (!sharesPort(holder) && conflicts(sock, holder))) return false;
    }
    return true;
  }

  /** From a random port on, the first that will do (RFC 6056 §3.3.1, algorithm 1). */
  #choose(sock: SockCommon, isGood: (port: number) => boolean): boolean {
    const [low = 0, high = 0] = this.#range();
    const count = high - low + 1;
    if (count < 1) return false;
    const start = this.#random.below(count);
    for (let i = 0; i < count; i++) {
      const port = low + ((start + i) % count);
      if (!isGood(port)) continue;
      sock.localPort = port;
      return true;
    }
    return false;
  }
}

function keyOf(protocol: number, port: number): number {
  return (protocol << 16) | port;
}
