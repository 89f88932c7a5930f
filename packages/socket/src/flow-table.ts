import type { FlowKey, SockCommon } from '@softnet/contract';
import { hearsGroup, isGroup, SOCK_FLAG } from '@softnet/contract';
import type { FlowHash } from './flow-hash.ts';
import { isIpv4Flow, scoreOf, TIER, tierOf } from './flow-match.ts';

const FIRST_CHAINS = 64;

/**
 * Which socket a flow is for. One table of chains for all protocols; a socket is in one chain, by as much of its flow as it
 * names: all ends, its own end, or its port. Looking up allocates nothing.
 */
export class FlowTable {
  /** Sockets that are in it. */
  count = 0;
  readonly #hash: FlowHash;
  #chains: (SockCommon | null)[] = new Array<SockCommon | null>(FIRST_CHAINS).fill(null);
  /** Of the chain looked through last: the best score, and how many have it. */
  #score = -1;
  #equals = 0;

  constructor(hash: FlowHash) {
    this.#hash = hash;
  }

  /** Puts it where its ends say, also when it is there already by other ends. The last one is found first, as in Linux. */
  insert(sock: SockCommon): void {
    this.remove(sock);
    if (this.count >= this.#chains.length) this.#grow();
    sock.hash = this.#hashOf(sock, tierOf(sock));
    this.#link(sock);
    this.count++;
  }

  /** False: it was not there. */
  remove(sock: SockCommon): boolean {
    const index = sock.hash & (this.#chains.length - 1);
    let before: SockCommon | null = null;
    let at: SockCommon | null = this.#chains[index]!;
    while (at !== null && at !== sock) {
      before = at;
      at = at.hashNext;
    }
    if (at === null) return false;
    if (before === null) this.#chains[index] = sock.hashNext;
    else before.hashNext = sock.hashNext;
    sock.hashNext = null;
    this.count--;
    return true;
  }

  has(sock: SockCommon): boolean {
    let at = this.#chain(sock.hash);
    while (at !== null && at !== sock) at = at.hashNext;
    return at !== null;
  }

  /** The socket that matches best, null: none does. Port 0 is nobody's. */
  find(key: FlowKey): SockCommon | null {
    if (key.localPort === 0) return null;
    const ipv4 = isIpv4Flow(key);
    for (let tier: number = TIER.FLOW; tier >= TIER.PORT; tier--) {
      const found = this.#best(key, tier, ipv4);
      if (found !== null) return this.#equals > 1 && (found.flags & SOCK_FLAG.REUSEPORT) !== 0 ? this.#shared(key, tier, ipv4) : found;
    }
    return null;
  }

  /** All that match and hear it, into `found`: for what is sent to many. Returns how many there are. */
  findAll(key: FlowKey, found: (SockCommon | null)[]): number {
    if (key.localPort === 0) return 0;
    const ipv4 = isIpv4Flow(key);
    const isToGroup = isGroup(key.local0, key.local1, key.local2, key.local3);
    let count = 0;
    for (let tier: number = TIER.FLOW; tier >= TIER.PORT; tier--) {
      const hash = this.#hashOfKey(key, tier);
      for (let sock = this.#chain(hash); sock !== null; sock = sock.hashNext) {
        if (sock.hash !== hash || scoreOf(sock, key, tier, ipv4) < 0) continue;
        if (!isToGroup || hearsGroup(sock, key)) found[count++] = sock;
      }
    }
    return count;
  }

  #best(key: FlowKey, tier: number, ipv4: boolean): SockCommon | null {
    const hash = this.#hashOfKey(key, tier);
    let best: SockCommon | null = null;
    this.#score = -1;
    this.#equals = 0;
    for (let sock = this.#chain(hash); sock !== null; sock = sock.hashNext) {
      if (sock.hash !== hash) continue;
      const score = scoreOf(sock, key, tier, ipv4);
      if (score < 0 || score < this.#score) continue;
      if (score === this.#score) {
        if ((sock.flags & SOCK_FLAG.REUSEPORT) !== 0) this.#equals++;
        continue;
      }
      best = sock;
      this.#score = score;
      this.#equals = 1;
    }
    return best;
  }

  /** Of a REUSEPORT group the one that this flow falls to, always the same while the group is. */
  #shared(key: FlowKey, tier: number, ipv4: boolean): SockCommon {
    const hash = this.#hashOfKey(key, tier);
    let left = Math.floor(((this.#hash.ofFlow(key) >>> 0) / 0x100000000) * this.#equals);
    let found: SockCommon | null = null;
    for (let sock = this.#chain(hash); sock !== null; sock = sock.hashNext) {
      if (sock.hash !== hash || (sock.flags & SOCK_FLAG.REUSEPORT) === 0) continue;
      if (scoreOf(sock, key, tier, ipv4) !== this.#score) continue;
      found = sock;
      if (left-- === 0) break;
    }
    return found!;
  }

  #chain(hash: number): SockCommon | null {
    return this.#chains[hash & (this.#chains.length - 1)]!;
  }

  #hashOf(sock: SockCommon, tier: number): number {
    if (tier === TIER.FLOW) return this.#hash.ofSocket(sock);
    if (tier === TIER.PORT) return this.#hash.ofPort(sock.protocol, sock.localPort);
    return this.#hash.ofEnd(sock.protocol, sock.localPort, sock.local0, sock.local1, sock.local2, sock.local3);
  }

  #hashOfKey(key: FlowKey, tier: number): number {
    if (tier === TIER.FLOW) return this.#hash.ofFlow(key);
    if (tier === TIER.PORT) return this.#hash.ofPort(key.protocol, key.localPort);
    return this.#hash.ofEnd(key.protocol, key.localPort, key.local0, key.local1, key.local2, key.local3);
  }

  #link(sock: SockCommon): void {
    const index = sock.hash & (this.#chains.length - 1);
    sock.hashNext = this.#chains[index]!;
    this.#chains[index] = sock;
  }

  /** Twice the chains; order within what shares a hash is kept. */
  #grow(): void {
    const old = this.#chains;
    this.#chains = new Array<SockCommon | null>(old.length * 2).fill(null);
    for (const first of old) {
      const chain: SockCommon[] = [];
      for (let sock = first; sock !== null; sock = sock.hashNext) chain.push(sock);
      for (const sock of chain.reverse()) this.#link(sock);
    }
  }
}
