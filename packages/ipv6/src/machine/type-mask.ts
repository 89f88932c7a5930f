const TYPES = 256;
const RANGE = /^(\d{1,3})(?:-(\d{1,3}))?$/;

/** A set of ICMPv6 types, written as Linux writes bitmaps: '0-1,3-127'. */
export class TypeMask {
  readonly #bits = new Uint8Array(TYPES);

  has(type: number): boolean {
    return this.#bits[type] === 1;
  }

  /** False: the text says no set, and nothing has changed. Empty: none. */
  read(text: string): boolean {
    const bits = new Uint8Array(TYPES);
    for (const part of text.trim() === '' ? [] : text.split(',')) {
      const found = RANGE.exec(part.trim());
      const first = Number(found?.[1]);
      const last = Number(found?.[2] ?? found?.[1]);
      if (found === null || first > last || last >= TYPES) return false;
      bits.fill(1, first, last + 1);
    }
    this.#bits.set(bits);
    return true;
  }
}
