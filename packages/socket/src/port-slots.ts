/** Of a port: a socket, or all those who share it. Both fields stay as they are while it stands here. */
export interface PortHolder {
  readonly protocol: number;
  readonly localPort: number;
}

const FIRST_SLOTS = 16;
/** 2^32 by the golden ratio: ports that follow one another fall far apart (Knuth, vol. 3, §6.4). */
const MULTIPLIER = 0x9e3779b1 | 0;

/**
 * Who has a port, by protocol: a table of nothing but references, as those whom they refer to say which port it is (open addressing, one slot after the other). A port costs 14 bytes on
 * average; a Map would take three times that. Looking up allocates nothing.
 */
export class PortSlots<T extends PortHolder> {
  count = 0;
  #slots: (T | null)[] = new Array<T | null>(FIRST_SLOTS).fill(null);

  /** Null: nobody. */
  get(protocol: number, port: number): T | null {
    return this.#slots[this.#find(protocol, port)]!;
  }

  /** In the place of who has had the port, if anybody. */
  set(holder: T): void {
    const at = this.#find(holder.protocol, holder.localPort);
    const isNew = this.#slots[at] === null;
    this.#slots[at] = holder;
    if (!isNew) return;
    this.count++;
    if (4 * this.count > 3 * this.#slots.length) this.#resize(2 * this.#slots.length);
  }

  delete(protocol: number, port: number): void {
    let free = this.#find(protocol, port);
    if (this.#slots[free] === null) return;
    const mask = this.#slots.length - 1;
    // Who stands behind only because of those before it moves up (Knuth, algorithm R).
    for (let at = (free + 1) & mask; this.#slots[at] !== null; at = (at + 1) & mask) {
      const { protocol: number, localPort } = this.#slots[at]!;
      if (((at - this.#home(number, localPort)) & mask) < ((at - free) & mask)) continue;
      this.#slots[free] = this.#slots[at]!;
      free = at;
    }
    this.#slots[free] = null;
    this.count--;
    if (8 * this.count < this.#slots.length && this.#slots.length > FIRST_SLOTS) this.#resize(this.#slots.length / 2);
  }

  /** Its slot, or the one where it would be. */
  #find(protocol: number, port: number): number {
    const mask = this.#slots.length - 1;
    let at = this.#home(protocol, port);
    for (let holder = this.#slots[at]!; holder !== null; holder = this.#slots[at]!) {
      if (holder.localPort === port && holder.protocol === protocol) return at;
      at = (at + 1) & mask;
    }
    return at;
  }

  #home(protocol: number, port: number): number {
    // The length is a power of two.
    return (Math.imul((protocol << 16) ^ port, MULTIPLIER) >>> 8) & (this.#slots.length - 1);
  }

  #resize(length: number): void {
    const old = this.#slots;
    this.#slots = new Array<T | null>(length).fill(null);
    for (const holder of old) if (holder !== null) this.#slots[this.#find(holder.protocol, holder.localPort)] = holder;
  }
}
