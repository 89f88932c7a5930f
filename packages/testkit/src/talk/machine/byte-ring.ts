/** A bounded queue of bytes, that can be read again until they are dropped. Its memory comes with the first byte. */
export class ByteRing {
  readonly capacity: number;
  length = 0;
  #bytes: Uint8Array | null = null;
  #start = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get room(): number {
    return this.capacity - this.length;
  }

  /** Takes as many as there is room for, and says how many. */
  push(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) return 0;
    this.#bytes ??= new Uint8Array(this.capacity);
    const at = (this.#start + this.length) % this.capacity;
    const first = Math.min(taken, this.capacity - at);
    this.#bytes.set(bytes.subarray(0, first), at);
    this.#bytes.set(bytes.subarray(first, taken), 0);
    this.length += taken;
    return taken;
  }

  /** A copy of up to `count` bytes from `offset` on. */
  copy(offset: number, count: number): Uint8Array {
    const out = new Uint8Array(Math.max(Math.min(count, this.length - offset), 0));
    if (this.#bytes === null || out.length === 0) return out;
    const at = (this.#start + offset) % this.capacity;
    const first = Math.min(out.length, this.capacity - at);
    out.set(this.#bytes.subarray(at, at + first), 0);
    out.set(this.#bytes.subarray(0, out.length - first), first);
    return out;
  }

  drop(count: number): void {
    this.length -= count;
    this.#start = (this.#start + count) % this.capacity;
    if (this.length === 0) this.#bytes = null;
  }
}
