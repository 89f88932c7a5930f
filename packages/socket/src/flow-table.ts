import type { Counter, FlowKey, SockCommon } from '@softnet/contract';
import { hearsGroup, isGroup, SOCK_FLAG } from '@softnet/contract';
import { ChainTable } from './chain-table.ts';
import type { FlowHash } from './flow-hash.ts';
import { tierOfHash } from './flow-hash.ts';
import { isIpv4Flow, SCORE, scoreOf, TIER, tierOf } from './flow-match.ts';
import { isSameFlow } from './port-conflict.ts';
import { isSameGroup, ReuseGroups } from './reuse-groups.ts';

/** What looking up costs. */
export interface LookupCounters {
  /** Flows that were looked up. */
  readonly lookups: Pick<Counter, 'value'>;
  /** Sockets that were looked at for that. */
  readonly probes: Pick<Counter, 'value'>;
}

/**
 * Which socket a flow is for. A socket is in one of three tables, for all protocols, by as much of its flow as it names: all ends, its own end, or its
 * port. Looking up allocates nothing.
 */
export class FlowTable {
  readonly #hash: FlowHash;
  readonly #counters: LookupCounters;
  /** By {@link TIER}. */
  readonly #tables = [new ChainTable(), new ChainTable(), new ChainTable()] as const;
  readonly #groups = new ReuseGroups();
  /** Members of groups that stand in no chain. */
  #behind = 0;
  /** The best score that there can be: some socket was bound to an interface since the table was empty, or none was. */
  #bestScore: number = SCORE.NATIVE;

  constructor(hash: FlowHash, counters: LookupCounters) {
    this.#hash = hash;
    this.#counters = counters;
  }

  /** Sockets that are in it. */
  get count(): number {
    const [ports, ends, flows] = this.#tables;
    return ports.count + ends.count + flows.count + this.#behind;
  }

  /** Puts it where its ends say, also when it is there already by other ends. The last one is found first, as in Linux. */
  insert(sock: SockCommon): void {
    this.remove(sock);
    const tier = tierOf(sock);
    const hash = this.#hashOf(sock, tier);
    const table = this.#tables[tier]!;
    if (sock.ifindex !== 0) this.#bestScore = SCORE.NATIVE + SCORE.BOUND;
    else if (this.count === 0) this.#bestScore = SCORE.NATIVE;
    const shares = (sock.flags & SOCK_FLAG.REUSEPORT) === 0 ? null : groupIn(table, sock, hash);
    sock.hash = hash;
    if (shares === null) table.insert(sock);
    else {
      this.#groups.join(sock, shares);
      this.#behind++;
    }
  }

  /** False: it was not there. */
  remove(sock: SockCommon): boolean {
    const tier = tierOfHash(sock.hash);
    if (tier < 0) return false;
    const table = this.#tables[tier]!;
    const group = this.#groups.of(sock);
    if (group === null) {
      if (!table.remove(sock)) return false;
    } else {
      if (group.first === sock) table.substitute(sock, group.members[1]!);
      this.#groups.leave(sock, group);
      this.#behind--;
    }
    sock.hash = 0;
    return true;
  }

  has(sock: SockCommon): boolean {
    const tier = tierOfHash(sock.hash);
    return tier >= 0 && (this.#groups.of(sock) !== null || this.#tables[tier]!.has(sock));
  }

  /** The socket that matches best, null: none does. Port 0 is nobody's. */
  find(key: FlowKey): SockCommon | null {
    if (key.localPort === 0) return null;
    this.#counters.lookups.value++;
    const ipv4 = isIpv4Flow(key);
    for (let tier: number = TIER.FLOW; tier >= TIER.PORT; tier--) {
      if (this.#tables[tier]!.count === 0) continue;
      const found = this.#best(key, tier, ipv4);
      if (found === null) continue;
      const group = (found.flags & SOCK_FLAG.REUSEPORT) === 0 ? null : this.#groups.of(found);
      return group === null ? found : group.member(this.#hash.ofFlow(key, TIER.FLOW));
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
      for (let sock = this.#tables[tier]!.first(hash); sock !== null; sock = sock.hashNext) {
        if (sock.hash !== hash || scoreOf(sock, key, tier, ipv4) < 0) continue;
        const group = this.#groups.of(sock);
        if (group === null) {
          if (!isToGroup || hearsGroup(sock, key)) found[count++] = sock;
        } else for (const member of group.members) if (!isToGroup || hearsGroup(member, key)) found[count++] = member;
      }
    }
    return count;
  }

  /** Who else has the flow that this one would have with this port? Null: nobody. */
  flowHolder(sock: SockCommon, localPort: number): SockCommon | null {
    const hash = this.#hash.ofSocket(sock, localPort, TIER.FLOW);
    for (let at = this.#tables[TIER.FLOW].first(hash); at !== null; at = at.hashNext) {
      if (at.hash === hash && at.localPort === localPort && at.protocol === sock.protocol && isSameFlow(sock, at)) return at;
    }
    return null;
  }

  #best(key: FlowKey, tier: number, ipv4: boolean): SockCommon | null {
    const hash = this.#hashOfKey(key, tier);
    let best: SockCommon | null = null;
    let bestScore = -1;
    let probes = 0;
    for (let sock = this.#tables[tier]!.first(hash); sock !== null; sock = sock.hashNext) {
      probes++;
      if (sock.hash !== hash) continue;
      const score = scoreOf(sock, key, tier, ipv4);
      if (score <= bestScore) continue;
      best = sock;
      bestScore = score;
      if (score === this.#bestScore) break;
    }
    this.#counters.probes.value += probes;
    return best;
  }

  #hashOf(sock: SockCommon, tier: number): number {
    if (tier === TIER.FLOW) return this.#hash.ofSocket(sock, sock.localPort, tier);
    if (tier === TIER.PORT) return this.#hash.ofPort(sock.protocol, sock.localPort, tier);
    return this.#hash.ofEnd(sock.protocol, sock.localPort, sock.local0, sock.local1, sock.local2, sock.local3, tier);
  }

  #hashOfKey(key: FlowKey, tier: number): number {
    if (tier === TIER.FLOW) return this.#hash.ofFlow(key, tier);
    if (tier === TIER.PORT) return this.#hash.ofPort(key.protocol, key.localPort, tier);
    return this.#hash.ofEnd(key.protocol, key.localPort, key.local0, key.local1, key.local2, key.local3, tier);
  }
}

/** Who stands in the chain for the group that this one would join; null: there is none. */
function groupIn(table: ChainTable, sock: SockCommon, hash: number): SockCommon | null {
  for (let at = table.first(hash); at !== null; at = at.hashNext) if (at.hash === hash && isSameGroup(sock, at)) return at;
  return null;
}
