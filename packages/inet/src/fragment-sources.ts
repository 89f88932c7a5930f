import type { FlowKey } from '@softnet/contract';
import { mixHash } from './fragment-hash.ts';
import type { PartialDatagram } from './partial-datagram.ts';
import { FragmentSource } from './partial-datagram.ts';

const BUCKETS = 256;

/** Who sends fragments: as many records as there are senders of which a datagram waits. */
export class FragmentSources {
  readonly #buckets: (FragmentSource | null)[] = new Array<FragmentSource | null>(BUCKETS).fill(null);
  readonly #secret: number;
  #idle: FragmentSource | null = null;
  count = 0;
  /** The one that has most, or had when more came of it last. */
  heaviest: FragmentSource = new FragmentSource();

  /** @param secret 32 random bits, so that senders cannot choose their bucket. */
  constructor(secret: number) {
    this.#secret = secret | 0;
  }

  /** One more datagram of the key's sender: its youngest. */
  add(key: FlowKey, datagram: PartialDatagram): void {
    const source = this.#find(key) ?? this.#make(key);
    datagram.source = source;
    datagram.arrival = source.arrivals;
    datagram.sourceOlder = source.youngest;
    if (source.youngest === null) source.oldest = datagram;
    else source.youngest.sourceYounger = datagram;
    source.youngest = datagram;
    source.datagrams++;
  }

  charge(source: FragmentSource, bytes: number): void {
    source.bytes += bytes;
    if (source.bytes > this.heaviest.bytes) this.heaviest = source;
  }

  remove(datagram: PartialDatagram): void {
    const source = datagram.source!;
    const { sourceOlder, sourceYounger } = datagram;
    if (sourceOlder === null) source.oldest = sourceYounger;
    else sourceOlder.sourceYounger = sourceYounger;
    if (sourceYounger === null) source.youngest = sourceOlder;
    else sourceYounger.sourceOlder = sourceOlder;
    source.bytes -= datagram.chargedBytes;
    datagram.source = null;
    datagram.sourceOlder = null;
    datagram.sourceYounger = null;
    if (--source.datagrams === 0) this.#end(source);
  }

  #find(key: FlowKey): FragmentSource | null {
    let at = this.#buckets[this.#hashOf(key)]!;
    while (at !== null && !isOf(at, key)) at = at.hashNext!;
    return at;
  }

  #make(key: FlowKey): FragmentSource {
    const source = this.#idle ?? new FragmentSource();
    this.#idle = source.hashNext;
    source.remote0 = key.remote0;
    source.remote1 = key.remote1;
    source.remote2 = key.remote2;
    source.remote3 = key.remote3;
    source.hash = this.#hashOf(key);
    source.hashNext = this.#buckets[source.hash]!;
    this.#buckets[source.hash] = source;
    this.count++;
    return source;
  }

  #end(source: FragmentSource): void {
    const { hash, hashNext } = source;
    let at = this.#buckets[hash]!;
    if (at === source) this.#buckets[hash] = hashNext;
    else {
      while (at.hashNext !== source) at = at.hashNext!;
      at.hashNext = hashNext;
    }
    this.count--;
    source.hashNext = this.#idle;
    this.#idle = source;
  }

  #hashOf(key: FlowKey): number {
    let hash = mixHash(this.#secret, key.remote3);
    hash = mixHash(hash, key.remote2);
    hash = mixHash(hash, key.remote1);
    hash = mixHash(hash, key.remote0);
    hash ^= hash >>> 15;
    return (Math.imul(hash, 0x2c1b3c6d) >>> 16) & (BUCKETS - 1);
  }
}

function isOf(source: FragmentSource, key: FlowKey): boolean {
  return (
    source.remote3 === key.remote3 && source.remote2 === key.remote2 && source.remote1 === key.remote1 && source.remote0 === key.remote0
  );
}
