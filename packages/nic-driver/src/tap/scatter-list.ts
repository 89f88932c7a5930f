import type { PacketMemory, Skb } from '@softnet/contract';

/** As many runs as Linux takes at once (IOV_MAX). */
export const MAX_RUNS = 1024;
/** `struct iovec` where pointers have 8 bytes: base and length, both as two words, the lower first. */
const WORDS = 4;
const WORD_RANGE = 2 ** 32;

/**
 * Where a packet's bytes lie, as readv(2) and writev(2) take it: the kernel reads and writes packet memory itself, and no byte is
 * copied on the way. One for a module; filled for each packet, and allocates nothing once it knows a memory.
 */
export class ScatterList {
  /** `count` iovecs. */
  readonly iovecs: Uint32Array = new Uint32Array(MAX_RUNS * WORDS);
  count = 0;
  readonly #addressOf: (bytes: Uint8Array) => bigint;
  /** Addresses are below 2⁴⁸, exact in a double. */
  readonly #known = new WeakMap<PacketMemory, number>();
  #memory: PacketMemory | null = null;
  #address = 0;
  /** Off V8's heap, where a small array would lie otherwise. */
  readonly #scratch = new Uint8Array(new ArrayBuffer(1));
  #scratchAddress = 0;

  /** @param addressOf where bytes lie: `Libc.addressOf`. */
  constructor(addressOf: (bytes: Uint8Array) => bigint) {
    this.#addressOf = addressOf;
  }

  /** All bytes of the packet, head and fragments. False: they lie in more than {@link MAX_RUNS} runs. */
  fill(skb: Skb): boolean {
    this.count = 0;
    this.#add(skb.memory, skb.data, skb.tail - skb.data);
    for (let fragment = skb.fragments; fragment !== null; fragment = fragment.next) {
      if (this.count === MAX_RUNS) return false;
      this.#add(fragment.memory, fragment.offset, fragment.lenBytes);
    }
    return true;
  }

  /** One byte that nobody wants: what is read goes. */
  fillScratch(): void {
    if (this.#scratchAddress === 0) this.#scratchAddress = Number(this.#addressOf(this.#scratch));
    this.count = 0;
    this.#put(this.#scratchAddress, 1);
  }

  #add(memory: PacketMemory, offset: number, lenBytes: number): void {
    if (lenBytes === 0) return;
    if (memory !== this.#memory) this.#stand(memory);
    this.#put(this.#address + offset, lenBytes);
  }

  #put(address: number, lenBytes: number): void {
    const at = this.count++ * WORDS;
    this.iovecs[at] = address % WORD_RANGE;
    this.iovecs[at + 1] = address / WORD_RANGE;
    this.iovecs[at + 2] = lenBytes;
  }

  #stand(memory: PacketMemory): void {
    let address = this.#known.get(memory);
    if (address === undefined) {
      address = Number(this.#addressOf(memory.bytes));
      this.#known.set(memory, address);
    }
    this.#memory = memory;
    this.#address = address;
  }
}
