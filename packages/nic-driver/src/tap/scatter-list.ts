import type { PacketMemory, Skb } from '@softnet/contract';

/** As many runs as Linux takes at once (IOV_MAX). */
export const MAX_RUNS = 1024;
/** `struct iovec` where pointers have 8 bytes: base and length, both as two words, the lower first. */
const WORDS = 4;
const WORD_RANGE = 2 ** 32;
/** A header before a frame, at most. */
const HEADER_ROOM_BYTES = 16;

/**
 * Where a packet's bytes lie, as readv(2) and writev(2) take it: the kernel reads and writes packet memory itself, and no byte is
 * copied on the way. Filled for each packet, and allocates nothing once it knows a memory.
 */
export class ScatterList {
  /** `count` iovecs. */
  readonly iovecs: Uint32Array = new Uint32Array(MAX_RUNS * WORDS);
  count = 0;
  /** Bytes of its own, for a header before the packet. Off V8's heap, where a small array would lie otherwise. */
  readonly header: DataView = new DataView(new ArrayBuffer(HEADER_ROOM_BYTES));
  readonly #addressOf: (bytes: Uint8Array) => bigint;
  /** Addresses are below 2⁴⁸, exact in a double. */
  readonly #known = new WeakMap<PacketMemory, number>();
  #memory: PacketMemory | null = null;
  #address = 0;
  #headerAddress = 0;

  /** @param addressOf where bytes lie: `Libc.addressOf`. */
  constructor(addressOf: (bytes: Uint8Array) => bigint) {
    this.#addressOf = addressOf;
  }

  /**
   * So many bytes of {@link header}, then all of the packet, head and fragments. False: they lie in more than {@link MAX_RUNS} runs.
   */
  fill(skb: Skb, headerBytes = 0): boolean {
    this.count = 0;
    if (headerBytes > 0) this.#put(this.count++, this.#ownAddress(), headerBytes);
    if (skb.tail > skb.data) this.set(this.count++, skb.memory, skb.data, skb.tail - skb.data);
    for (let fragment = skb.fragments; fragment !== null; fragment = fragment.next) {
      if (this.count === MAX_RUNS) return false;
      if (fragment.lenBytes > 0) this.set(this.count++, fragment.memory, fragment.offset, fragment.lenBytes);
    }
    return true;
  }

  /** {@link header} alone: what is read goes. */
  fillScratch(): void {
    this.#put(0, this.#ownAddress(), HEADER_ROOM_BYTES);
    this.count = 1;
  }

  /** The run number `index`; `count` stays. */
  set(index: number, memory: PacketMemory, offset: number, lenBytes: number): void {
    if (memory !== this.#memory) this.#stand(memory);
    this.#put(index, this.#address + offset, lenBytes);
  }

  #ownAddress(): number {
    if (this.#headerAddress === 0) this.#headerAddress = Number(this.#addressOf(new Uint8Array(this.header.buffer)));
    return this.#headerAddress;
  }

  #put(index: number, address: number, lenBytes: number): void {
    const at = index * WORDS;
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
