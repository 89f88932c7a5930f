import type { FlowKey, SockCommon } from '@softnet/contract';
import type { HalfSipHash } from '@softnet/inet';

/** Whose hash it is stands in the two low bits, so that a socket's hash says in which table it is: never 0, which says "not computed" in an skb. */
const TIER_BITS = 2;
const TIER_MASK = 3;

/** The tier that {@link tagged} wrote; -1: the hash is 0, which is in no table. */
export function tierOfHash(hash: number): number {
  return (hash & TIER_MASK) - 1;
}

/** What chooses among chains. */
export function chainBits(hash: number): number {
  return hash >>> TIER_BITS;
}

function tagged(hash: number, tier: number): number {
  return (hash & ~TIER_MASK) | (tier + 1);
}

/** Hashes of the ends that the flow table looks up, by a secret key. int32. */
export class FlowHash {
  readonly #sip: HalfSipHash;

  constructor(sip: HalfSipHash) {
    this.#sip = sip;
  }

  /** All ends, of a connected socket, if `localPort` were its own, and of a packet of its flow. */
  ofSocket(sock: SockCommon, localPort: number, tier: number): number {
    const { protocol, local0, local1, local2, local3, remote0, remote1, remote2, remote3, remotePort } = sock;
    return this.#ofEnds(protocol, localPort, local0, local1, local2, local3, remote0, remote1, remote2, remote3, remotePort, tier);
  }

  ofFlow(key: FlowKey, tier: number): number {
    const { protocol, localPort, local0, local1, local2, local3, remote0, remote1, remote2, remote3, remotePort } = key;
    return this.#ofEnds(protocol, localPort, local0, local1, local2, local3, remote0, remote1, remote2, remote3, remotePort, tier);
  }

  /** A local address and port. */
  ofEnd(protocol: number, port: number, word0: number, word1: number, word2: number, word3: number, tier: number): number {
    const { words } = this.#sip;
    words[0] = (protocol << 16) | port;
    words[1] = word3;
    words[2] = word2;
    words[3] = word1;
    words[4] = word0;
    return tagged(this.#sip.of(5), tier);
  }

  /** A port at whatever address. */
  ofPort(protocol: number, port: number, tier: number): number {
    this.#sip.words[0] = (protocol << 16) | port;
    return tagged(this.#sip.of(1), tier);
  }

  /** Of IPv4 the prefix of both addresses is always the same, and left out: a third of the work. */
  #ofEnds(
    protocol: number,
    localPort: number,
    local0: number,
    local1: number,
    local2: number,
    local3: number,
    remote0: number,
    remote1: number,
    remote2: number,
    remote3: number,
    remotePort: number,
    tier: number,
  ): number {
    const { words } = this.#sip;
    words[0] = (protocol << 16) | localPort;
    words[1] = remotePort;
    words[2] = local3;
    words[3] = remote3;
    if ((local0 | local1 | remote0 | remote1) === 0 && local2 === remote2) return tagged(this.#sip.of(4), tier);
    words[4] = local2;
    words[5] = remote2;
    words[6] = local1;
    words[7] = remote1;
    words[8] = local0;
    words[9] = remote0;
    return tagged(this.#sip.of(10), tier);
  }
}
