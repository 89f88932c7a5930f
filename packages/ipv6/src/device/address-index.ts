import type { InterfaceAddress } from '@softnet/contract';
import { isLinkLocal, isSame } from '../machine/address-kind.ts';

/** More addresses than that share buckets. */
const BUCKETS = 256;

/** Addresses of this host, by address: asked for each packet that comes in by a link-local address, and for each neighbor solicitation. */
export class AddressIndex {
  readonly all: InterfaceAddress[] = [];
  readonly #buckets: InterfaceAddress[][] = Array.from({ length: BUCKETS }, () => []);

  add(address: InterfaceAddress): void {
    this.all.push(address);
    this.#buckets[bucketOf(...address.address)]!.push(address);
  }

  remove(address: InterfaceAddress): void {
    takeOut(this.all, address);
    takeOut(this.#buckets[bucketOf(...address.address)]!, address);
  }

  /**
   * Null: not ours. On several devices: that of `ifindex`, if it is one of them.
   * @param ifindex of which a link-local address must be (RFC 4007 §6); 0: any.
   */
  find(word0: number, word1: number, word2: number, word3: number, ifindex: number): InterfaceAddress | null {
    const bucket = this.#buckets[bucketOf(word0, word1, word2, word3)]!;
    let elsewhere: InterfaceAddress | null = null;
    for (let i = 0; i < bucket.length; i++) {
      const each = bucket[i]!;
      if (!isSame(each.address, word0, word1, word2, word3)) continue;
      if (each.device.ifindex === ifindex) return each;
      if (ifindex === 0 || !isLinkLocal(word0)) elsewhere ??= each;
    }
    return elsewhere;
  }
}

function bucketOf(word0: number, word1: number, word2: number, word3: number): number {
  return (Math.imul(word0 ^ word1 ^ word2 ^ word3, 0x9e3779b1) >>> 24) % BUCKETS;
}

function takeOut(list: InterfaceAddress[], address: InterfaceAddress): void {
  const index = list.indexOf(address);
  if (index >= 0) list.splice(index, 1);
}
