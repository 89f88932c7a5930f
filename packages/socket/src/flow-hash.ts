import type { FlowKey, Random, SockCommon } from '@softnet/contract';

/**
 * Hashes of the ends that the flow table looks up: seeded, so that nobody outside can choose flows that fall into one
 * chain. int32, never 0, which says "not computed" in an skb. Mixes like MurmurHash3; Linux does it with jhash.
 */
export class FlowHash {
  readonly #seed: number;
  readonly #key: number;

  constructor(random: Random) {
    this.#seed = random.u32() | 0;
    this.#key = random.u32() | 0;
  }

  /** All ends, of a connected socket and of a packet of its flow. */
  ofSocket(sock: SockCommon): number {
    let hash = this.#ofLocal(sock.protocol, sock.localPort, sock.local0, sock.local1, sock.local2, sock.local3);
    hash = mix(mix(mix(mix(hash, sock.remote0), sock.remote1), sock.remote2), sock.remote3);
    return this.#end(mix(hash, sock.remotePort));
  }

  ofFlow(key: FlowKey): number {
    let hash = this.#ofLocal(key.protocol, key.localPort, key.local0, key.local1, key.local2, key.local3);
    hash = mix(mix(mix(mix(hash, key.remote0), key.remote1), key.remote2), key.remote3);
    return this.#end(mix(hash, key.remotePort));
  }

  /** A local address and port. */
  ofEnd(protocol: number, port: number, word0: number, word1: number, word2: number, word3: number): number {
    return this.#end(this.#ofLocal(protocol, port, word0, word1, word2, word3));
  }

  /** A port at whatever address. */
  ofPort(protocol: number, port: number): number {
    return this.#end(mix(this.#seed, (protocol << 16) | port));
  }

  #ofLocal(protocol: number, port: number, word0: number, word1: number, word2: number, word3: number): number {
    return mix(mix(mix(mix(mix(this.#seed, (protocol << 16) | port), word0), word1), word2), word3);
  }

  /** The key comes in last, so that whoever knows the mixing cannot undo it from a hash that he sees. */
  #end(mixed: number): number {
    let hash = mix(mixed, this.#key);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16) || 1;
  }
}

function mix(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
