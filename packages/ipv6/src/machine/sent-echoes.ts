import type { Flow, PacketMemory } from '@softnet/contract';
import { mixHash } from '@softnet/inet';
import { icmpRest, ipv6Dst, ipv6Src } from '@softnet/wire';

/** How many replies are remembered at most; a power of two. */
const PLACES = 256;

/**
 * Echo replies that a link on the way may not carry. No socket has sent them, and all the same a packet too big about one is about traffic of
 * this host, which is to be believed (RFC 8201 §4); about one that was never sent it is not. Of each a hash is kept, which nobody can foresee.
 */
export class SentEchoes {
  readonly #secret: number;
  readonly #places = new Int32Array(PLACES);

  /** @param secret 32 random bits. */
  constructor(secret: number) {
    this.#secret = secret | 0;
  }

  /** @param rest identifier and sequence number. */
  note({ src0, src1, src2, src3, dst0, dst1, dst2, dst3 }: Flow, rest: number): void {
    const hash = mixAddress(mixAddress(mixHash(this.#secret, rest), src0, src1, src2, src3), dst0, dst1, dst2, dst3);
    this.#places[hash & (PLACES - 1)] = hash;
  }

  /** Has the reply been sent whose header is at `network`, and whose ICMP header at `transport`? */
  has({ view }: PacketMemory, network: number, transport: number): boolean {
    const from = mixHash(this.#secret, icmpRest(view, transport));
    const src = mixAddress(
      from,
      ipv6Src(view, network, 0),
      ipv6Src(view, network, 1),
      ipv6Src(view, network, 2),
      ipv6Src(view, network, 3),
    );
    const hash = mixAddress(
      src,
      ipv6Dst(view, network, 0),
      ipv6Dst(view, network, 1),
      ipv6Dst(view, network, 2),
      ipv6Dst(view, network, 3),
    );
    return this.#places[hash & (PLACES - 1)] === hash;
  }
}

function mixAddress(hash: number, word0: number, word1: number, word2: number, word3: number): number {
  return mixHash(mixHash(mixHash(mixHash(hash, word0), word1), word2), word3);
}
