import type { FlowKey } from '@softnet/contract';
import { mixHash } from './fragment-hash.ts';
import { FragmentSources } from './fragment-sources.ts';
import { PartialDatagram } from './partial-datagram.ts';

const BUCKETS = 256;

/** Datagrams by key, by age and by sender. The hash is keyed, so that senders cannot choose their bucket. */
export class FragmentTable {
  readonly #buckets: (PartialDatagram | null)[] = new Array<PartialDatagram | null>(BUCKETS).fill(null);
  readonly #secret: number;
  #idle: PartialDatagram | null = null;
  #youngest: PartialDatagram | null = null;
  oldest: PartialDatagram | null = null;
  count = 0;
  readonly sources: FragmentSources;

  /** @param secret 32 random bits. */
  constructor(secret: number) {
    this.#secret = secret | 0;
    this.sources = new FragmentSources(mixHash(secret, BUCKETS));
  }

  find(key: FlowKey, id: number, protocol: number): PartialDatagram | null {
    let at = this.#buckets[this.#hashOf(key, id, protocol)] ?? null;
    while (at !== null && !isOf(at, key, id, protocol)) at = at.hashNext;
    return at;
  }

  /** The youngest, empty. */
  make(key: FlowKey, id: number, protocol: number): PartialDatagram {
    const made = this.#take();
    copyKey(made, key);
    made.id = id;
    made.protocol = protocol;
    made.hash = this.#hashOf(key, id, protocol);
    made.hashNext = this.#buckets[made.hash]!;
    this.#buckets[made.hash] = made;
    made.older = this.#youngest;
    if (this.#youngest === null) this.oldest = made;
    else this.#youngest.younger = made;
    this.#youngest = made;
    this.sources.add(key, made);
    this.count++;
    return made;
  }

  /** Takes it out; its pieces are somebody else's by now. */
  remove(datagram: PartialDatagram): void {
    this.#unchain(datagram);
    this.sources.remove(datagram);
    const { older, younger } = datagram;
    if (older === null) this.oldest = younger;
    else older.younger = younger;
    if (younger === null) this.#youngest = older;
    else younger.older = older;
    this.count--;
    datagram.older = null;
    datagram.younger = null;
    datagram.first = null;
    datagram.last = null;
    datagram.hashNext = this.#idle;
    this.#idle = datagram;
  }

  #take(): PartialDatagram {
    const record = this.#idle;
    if (record === null) return new PartialDatagram();
    this.#idle = record.hashNext;
    record.pieces = 0;
    record.heldBytes = 0;
    record.totalBytes = -1;
    record.chargedBytes = 0;
    record.ecn = 0;
    record.isAbandoned = false;
    return record;
  }

  #unchain(datagram: PartialDatagram): void {
    const { hash, hashNext } = datagram;
    let at = this.#buckets[hash]!;
    if (at === datagram) {
      this.#buckets[hash] = hashNext;
      return;
    }
    while (at !== null && at.hashNext !== datagram) at = at.hashNext!;
    if (at !== null) at.hashNext = hashNext;
  }

  #hashOf(key: FlowKey, id: number, protocol: number): number {
    let hash = this.#secret;
    hash = mixHash(hash, key.remote0 ^ key.local0);
    hash = mixHash(hash, key.remote1);
    hash = mixHash(hash, key.remote2);
    hash = mixHash(hash, key.remote3);
    hash = mixHash(hash, key.local1);
    hash = mixHash(hash, key.local2);
    hash = mixHash(hash, key.local3);
    hash = mixHash(hash, id);
    hash = mixHash(hash, protocol);
    hash ^= hash >>> 15;
    return (Math.imul(hash, 0x2c1b3c6d) >>> 16) & (BUCKETS - 1);
  }
}

function isOf(datagram: PartialDatagram, key: FlowKey, id: number, protocol: number): boolean {
  return (
    datagram.id === id &&
    datagram.remote3 === key.remote3 &&
    datagram.local3 === key.local3 &&
    datagram.protocol === protocol &&
    datagram.ifindex === key.ifindex &&
    datagram.remote0 === key.remote0 &&
    datagram.remote1 === key.remote1 &&
    datagram.remote2 === key.remote2 &&
    datagram.local0 === key.local0 &&
    datagram.local1 === key.local1 &&
    datagram.local2 === key.local2
  );
}

function copyKey(to: PartialDatagram, key: FlowKey): void {
  to.local0 = key.local0;
  to.local1 = key.local1;
  to.local2 = key.local2;
  to.local3 = key.local3;
  to.remote0 = key.remote0;
  to.remote1 = key.remote1;
  to.remote2 = key.remote2;
  to.remote3 = key.remote3;
  to.ifindex = key.ifindex;
}
