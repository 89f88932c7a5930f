// Fakes for fits-*.test.ts: packet memory, holds, cells. Written against the contract alone.
import type { Contributions, DropReason, Held, Objects, Owner, PointToken, Port, ServiceToken, SkbPool } from './index.ts';
import { NetError, PacketMemory, Skb, TRANSMIT } from './index.ts';

const BUFFER_BYTES = 2048;

/** 32 buffers; says when an skb is freed twice, or has two owners. */
export class FakePool implements SkbPool {
  readonly memory = new PacketMemory(new Uint8Array(32 * BUFFER_BYTES), this);
  readonly live = new Set<Skb>();
  readonly drops: string[] = [];
  readonly #shares = new Array<number>(32).fill(0);

  alloc(headroomBytes: number, lenBytes: number): Skb | null {
    const index = this.#shares.indexOf(0);
    if (index < 0 || headroomBytes + lenBytes > BUFFER_BYTES) return null;
    this.#shares[index] = 1;
    const skb = new Skb(this.memory);
    skb.head = index * BUFFER_BYTES;
    skb.end = skb.head + BUFFER_BYTES;
    skb.data = skb.head + headroomBytes;
    skb.tail = skb.data;
    skb.truesize = BUFFER_BYTES;
    this.live.add(skb);
    return skb;
  }
  page(): null {
    return null;
  }
  clone(skb: Skb): Skb {
    const clone = Object.assign(new Skb(this.memory), skb, { sock: null, next: null, reentries: 0 });
    this.#shares[skb.head / BUFFER_BYTES]!++;
    this.live.add(clone);
    return clone;
  }
  makeRoom(skb: Skb, headroomBytes: number, tailroomBytes: number): boolean {
    return skb.data - skb.head >= headroomBytes && skb.end - skb.tail >= tailroomBytes;
  }
  dissolve(): null {
    return null;
  }
  revive(): null {
    return null;
  }
  release(skb: Skb): void {
    if (!this.live.delete(skb)) throw new Error('an skb is freed twice');
    if (skb.next !== null) throw new Error('an skb is freed while a queue owns it');
    skb.sock?.ops.released(skb.sock, skb);
    this.#shares[skb.head / BUFFER_BYTES]!--;
  }
  drop(skb: Skb, reason: DropReason): void {
    reason.count++;
    this.drops.push(reason.name);
    this.release(skb);
  }
}

/** A list of a kind. What is derived from an object ends with it. */
export class FakeObjects<T extends Held> implements Objects<T> {
  readonly kind: string;
  readonly module: string;
  readonly owner = 1;
  open = true;
  readonly #held = new Set<T>();

  constructor(module: string, kind: string) {
    this.module = module;
    this.kind = kind;
  }
  get count(): number {
    return this.#held.size;
  }
  hold(object: T, owner: Owner, place: string): void {
    if (!this.open) throw new NetError('ESHUTDOWN', `${this.module} is leaving`);
    this.#link(object, owner, place);
  }
  derive(object: T, holder: Held, place: string): void {
    this.#link(object, holder.holdOwner!, place);
    object.holdHolder = holder;
    object.holdDerivedNext = holder.holdDerived;
    holder.holdDerived = object;
  }
  release(object: T): void {
    if (!this.#held.delete(object)) throw new Error(`${this.kind} is released twice`);
    for (let derived = object.holdDerived; derived !== null; derived = object.holdDerived) derived.holdKind!.release(derived);
    const holder = object.holdHolder;
    if (holder?.holdDerived === object) holder.holdDerived = object.holdDerivedNext;
    object.holdHolder = null;
    object.holdDerivedNext = null;
  }
  succeed(object: T, before: Held, place: string): void {
    const owner = before.holdOwner!;
    before.holdKind!.release(before);
    this.#link(object, owner, place);
  }
  passTo(object: T, owner: Owner): void {
    object.holdOwner = owner;
  }
  check(): void {}
  [Symbol.iterator](): Iterator<T> {
    return this.#held.values();
  }
  #link(object: T, owner: Owner, place: string): void {
    this.#held.add(object);
    object.holdKind = this;
    object.holdOwner = owner;
    object.holdPlace = place;
  }
}

/** A cell with the stand-in of its token, until somebody provides. */
export class FakePort<T extends object> implements Port<T> {
  readonly token: ServiceToken<T>;
  current: T;
  present = false;
  owner = 0;

  constructor(token: ServiceToken<T>) {
    this.token = token;
    this.current = token.absent(() => new NetError(token.errno, `${token.name} is not there`));
  }
  provide(provider: T): void {
    this.current = provider;
    this.present = true;
  }
}

/** Contributions: replaced whole. */
export class FakePoint<T extends object> implements Contributions<T> {
  readonly token: PointToken<T>;
  items: readonly T[] = [];
  owners: readonly number[] = [];

  constructor(token: PointToken<T>) {
    this.token = token;
  }
  add(item: T): void {
    this.items = [...this.items, item];
    this.owners = this.items.map((_, i) => i + 1);
  }
  remove(item: T): void {
    this.items = this.items.filter((other) => other !== item);
    this.owners = this.items.map((_, i) => i + 1);
  }
}

/** A step that drops, as makers of dsts hand it to `new Dst`. */
export function dropping(reason: DropReason): (skb: Skb) => number {
  return (skb) => {
    skb.memory.pool.drop(skb, reason);
    return TRANSMIT.DROPPED;
  };
}
