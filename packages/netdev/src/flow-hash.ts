import type { CurrentOwner, Random, Skb } from '@softnet/contract';
import { FlowKey } from '@softnet/contract';
import type { EthertypeTable } from './ethertype-table.ts';

/** What a flow's packets have in common, as one number: the same for all of them, unforeseeable for strangers. */
export class FlowHash {
  readonly #ethertypes: EthertypeTable;
  readonly #current: CurrentOwner;
  readonly #key = new FlowKey();
  readonly #seed: number;

  constructor(ethertypes: EthertypeTable, current: CurrentOwner, random: Random) {
    this.#ethertypes = ethertypes;
    this.#current = current;
    this.#seed = random.u32() | 0;
  }

  /** `skb.hash`, computed from its network header where nobody did; 1 where that is not understood. Never 0. */
  of(skb: Skb): number {
    if (skb.hash === 0) skb.hash = this.#compute(skb) || 1;
    return skb.hash;
  }

  #compute(skb: Skb): number {
    const entry = this.#ethertypes.find(skb.protocol);
    if (entry === null || entry.handler.dissect === null || skb.network < 0) return 1;
    const key = this.#key;
    key.localPort = 0;
    key.remotePort = 0;
    const caller = this.#current.id;
    this.#current.id = entry.owner;
    const understood = entry.handler.dissect(skb.memory, skb.network, skb.tail, key);
    this.#current.id = caller;
    return understood ? hashKey(key, this.#seed) : 1;
  }
}

function hashKey(key: FlowKey, seed: number): number {
  let hash = mix(seed, key.protocol);
  hash = mix(mix(mix(mix(hash, key.local0), key.local1), key.local2), key.local3);
  hash = mix(mix(mix(mix(hash, key.remote0), key.remote1), key.remote2), key.remote3);
  hash = mix(hash, (key.localPort << 16) | key.remotePort);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
  return ((mixed << 13) | (mixed >>> 19)) ^ 0x5bd1e995;
}
