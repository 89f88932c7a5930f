/** Bytes to be searched for, prepared once: by Knuth, Morris and Pratt, so that no byte of a packet is read twice. */
export class Pattern {
  readonly bytes: Uint8Array;
  readonly #fallback: Int32Array;

  /** @param bytes at least one; copied. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes.slice();
    this.#fallback = new Int32Array(bytes.length + 1);
    for (let i = 1; i < bytes.length; i++) {
      // What is matched of a proper end of bytes[0..i].
      this.#fallback[i + 1] = this.step(this.#fallback[i]!, bytes[i]!);
    }
  }

  /** How many bytes match when the next one is `byte`, and `matched` did so far. All of them: it was found. */
  step(matched: number, byte: number): number {
    let at = matched === this.bytes.length ? this.#fallback[matched]! : matched;
    while (at > 0 && this.bytes[at] !== byte) at = this.#fallback[at]!;
    return this.bytes[at] === byte ? at + 1 : 0;
  }
}
