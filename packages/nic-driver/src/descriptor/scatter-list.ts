import type { PacketMemory, Skb } from '@softnet/contract';
import type { Libc } from './libc.ts';

/** As many runs as Linux takes at once (IOV_MAX). */
export const MAX_RUNS = 1024;
/** `struct iovec` where pointers have 8 bytes: base and length, both as two words, the lower first. */
const WORDS = 4;
const WORD_RANGE = 2 ** 32;
/** An address of 64 bits, in words. */
interface Address {
  readonly low: number;
  readonly high: number;
}
const NOWHERE: Address = Object.freeze({ low: 0, high: 0 });
/** A header before a frame, at most. */
const HEADER_ROOM_BYTES = 16;
/** Linux's numbers. */
const EINTR = 4;
const EAGAIN = 11;
/** How often a call that a signal has interrupted is tried again. */
const TRIES = 3;

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
  readonly #known = new WeakMap<PacketMemory, Address>();
  #memory: PacketMemory | null = null;
  #address: Address = NOWHERE;
  #headerAddress: Address = NOWHERE;

  /** @param addressOf where bytes lie: `Libc.addressOf`. */
  constructor(addressOf: (bytes: Uint8Array) => bigint) {
    this.#addressOf = addressOf;
  }

  /**
   * So many bytes of {@link header}, then all of the packet, head and fragments. False: they lie in more than {@link MAX_RUNS} runs.
   */
  fill(skb: Skb, headerBytes = 0): boolean {
    this.count = 0;
    if (headerBytes > 0) this.#put(this.count++, this.#ownAddress(), 0, headerBytes);
    if (skb.tail > skb.data) this.set(this.count++, skb.memory, skb.data, skb.tail - skb.data);
    for (let fragment = skb.fragments; fragment !== null; fragment = fragment.next) {
      if (this.count === MAX_RUNS) return false;
      if (fragment.lenBytes > 0) this.set(this.count++, fragment.memory, fragment.offset, fragment.lenBytes);
    }
    return true;
  }

  /** {@link header} alone: what is read goes. */
  fillScratch(): void {
    this.#put(0, this.#ownAddress(), 0, HEADER_ROOM_BYTES);
    this.count = 1;
  }

  /** The run number `index`; `count` stays. */
  set(index: number, memory: PacketMemory, offset: number, lenBytes: number): void {
    if (memory !== this.#memory) this.#stand(memory);
    this.#put(index, this.#address, offset, lenBytes);
  }

  /** readv(2) of what it says. Bytes; or the number of the error, negative. */
  readFrom(libc: Libc, fd: number): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const readBytes = libc.readv(fd, this.iovecs, this.count);
      if (readBytes >= 0) return readBytes;
      const errno = libc.errno();
      if (errno !== EINTR) return -errno;
    }
    return -EAGAIN;
  }

  /** writev(2) of what it says, which is a frame: it goes whole or not at all. 0, or the number of the error. */
  writeTo(libc: Libc, fd: number): number {
    for (let tries = 0; tries < TRIES; tries++) {
      if (libc.writev(fd, this.iovecs, this.count) >= 0) return 0;
      const errno = libc.errno();
      if (errno !== EINTR) return errno;
    }
    return EAGAIN;
  }

  #ownAddress(): Address {
    if (this.#headerAddress === NOWHERE) this.#headerAddress = this.#find(new Uint8Array(this.header.buffer));
    return this.#headerAddress;
  }

  #put(index: number, address: Address, offset: number, lenBytes: number): void {
    const at = index * WORDS;
    const low = address.low + offset;
    const carry = low >= WORD_RANGE ? 1 : 0;
    this.iovecs[at] = low;
    this.iovecs[at + 1] = address.high + carry;
    this.iovecs[at + 2] = lenBytes;
  }

  #stand(memory: PacketMemory): void {
    let address = this.#known.get(memory);
    if (address === undefined) {
      address = this.#find(memory.bytes);
      this.#known.set(memory, address);
    }
    this.#memory = memory;
    this.#address = address;
  }

  #find(bytes: Uint8Array): Address {
    const address = this.#addressOf(bytes);
    return { low: Number(address & 0xffff_ffffn), high: Number(address >> 32n) };
  }
}
