import type { FlowKey } from '@softnet/contract';
import type { FlowSecrets } from './flow-secrets.ts';
import type { Listener } from './listener.ts';
import { localPort, Request, remotePort, retriesOf } from './request.ts';

const LEAST_CHAINS = 16;
/** Requests in a chain, on average, beyond which there are more chains. */
const FULL = 2;

/** All requests of all listeners, by a keyed hash of their ends. There are two requests in a chain, on average and at most; its records are recycled. Who is let in is the caller's matter. */
export class RequestTable {
  readonly #secrets: FlowSecrets;
  #chains: (Request | null)[] = new Array<Request | null>(LEAST_CHAINS).fill(null);
  #count = 0;
  /** Recycled, by `chain`: not more than the chains have room for. */
  #free: Request | null = null;
  #freeCount = 0;

  constructor(secrets: FlowSecrets) {
    this.#secrets = secrets;
  }

  get count(): number {
    return this.#count;
  }

  find(key: FlowKey): Request | null {
    const { localPort, remotePort, ifindex } = key;
    const at = this.#secrets.aim(key, localPort, remotePort).place() & (this.#chains.length - 1);
    const ports = (localPort << 16) | remotePort;
    for (let each = this.#chains[at] ?? null; each !== null; each = each.chain) {
      if (each.ports === ports && hasEnds(each, key) && (each.ifindex === 0 || each.ifindex === ifindex)) return each;
    }
    return null;
  }

  /** A record, for the caller to fill and {@link RequestTable.add}. */
  make(): Request {
    const request = this.#free;
    if (request === null) return new Request();
    this.#free = request.chain;
    this.#freeCount--;
    request.chain = null;
    return request;
  }

  /** One that was made and not added. */
  giveBack(request: Request): void {
    request.listener = null;
    this.#recycle(request);
  }

  add(request: Request): void {
    const listener = request.listener!;
    listener.requests++;
    listener.young++;
    this.#count++;
    if (this.#count > this.#chains.length * FULL) this.#rehash(this.#chains.length * 2);
    this.#link(request);
  }

  /** Takes it out; it may be used until the next is made. */
  remove(request: Request): void {
    const listener = request.listener!;
    const at = this.#placeOf(request);
    let before: Request | null = null;
    for (let each = this.#chains[at] ?? null; each !== null && each !== request; each = each.chain) before = each;
    if (before === null) this.#chains[at] = request.chain;
    else before.chain = request.chain;
    this.#count--;
    listener.requests--;
    if (retriesOf(request) === 0) listener.young--;
    listener.savedSyns?.delete(request);
    this.giveBack(request);
    if (this.#chains.length > LEAST_CHAINS && this.#count * 2 < this.#chains.length) this.#rehash(this.#chains.length / 2);
  }

  /** Of one listener, in no order that means anything. */
  of(listener: Listener): Request[] {
    const found: Request[] = [];
    for (let at = 0; at < this.#chains.length && found.length < listener.requests; at++) {
      for (let each = this.#chains[at] ?? null; each !== null; each = each.chain) if (each.listener === listener) found.push(each);
    }
    return found;
  }

  #link(request: Request): void {
    const at = this.#placeOf(request);
    request.chain = this.#chains[at]!;
    this.#chains[at] = request;
  }

  #placeOf(request: Request): number {
    return this.#secrets.aim(request, localPort(request), remotePort(request)).place() & (this.#chains.length - 1);
  }

  /** Few steps where nothing of it is seen: at most so many as a listener has room for. */
  #rehash(count: number): void {
    const before = this.#chains;
    this.#chains = new Array<Request | null>(count).fill(null);
    for (const first of before) {
      for (let each = first; each !== null; ) {
        const { chain }: Request = each;
        this.#link(each);
        each = chain;
      }
    }
    while (this.#freeCount > count * FULL) {
      this.#free = this.#free!.chain;
      this.#freeCount--;
    }
  }

  #recycle(request: Request): void {
    request.chain = null;
    if (this.#freeCount >= this.#chains.length * FULL) return;
    request.chain = this.#free;
    this.#free = request;
    this.#freeCount++;
  }
}

function hasEnds(request: Request, key: FlowKey): boolean {
  return (
    request.remote3 === key.remote3 &&
    request.local3 === key.local3 &&
    request.remote2 === key.remote2 &&
    request.local2 === key.local2 &&
    request.remote1 === key.remote1 &&
    request.local1 === key.local1 &&
    request.remote0 === key.remote0 &&
    request.local0 === key.local0
  );
}
