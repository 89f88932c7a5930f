import { bitAt, commonBits, covers, KEY0, KEY1, KEY2, KEY3, LEFT, LEN, NODE_SHIFT, RIGHT, VALUE } from './prefix-node.ts';

/** The longest chain of prefixes of an address: lengths 0 to 128. */
const MAX_DEPTH = 129;

/**
 * Longest-prefix match: a path-compressed binary trie (Patricia) over keys of up to 128 bits, most significant word first; a
 * shorter key stands in the first words. Lookups allocate nothing.
 */
export class PrefixTrie<T extends object> {
  /** How many prefixes have a value. */
  count = 0;
  /** Node 0 is none; its LEFT is the root. */
  #nodes = new Int32Array(64 << NODE_SHIFT);
  #used = 1;
  #freeNode = 0;
  readonly #values: (T | null)[] = [null];
  readonly #freeValues: number[] = [];
  /** Values met on the way down by the last `first`. */
  readonly #met = new Int32Array(MAX_DEPTH);
  #left = 0;

  /** The value of the longest prefix of an address; {@link next} gives those of the shorter ones. */
  first(key0: number, key1: number, key2: number, key3: number): T | null {
    const nodes = this.#nodes;
    const met = this.#met;
    let depth = 0;
    let node = nodes[LEFT]!;
    while (node !== 0) {
      const at = node << NODE_SHIFT;
      if (!covers(nodes, at, key0, key1, key2, key3)) break;
      if (nodes[at + VALUE] !== 0) met[depth++] = nodes[at + VALUE]!;
      const len = nodes[at]!;
      // Full addresses have no children, and there is no bit 128.
      if (len >= 128) break;
      node = nodes[at + LEFT + bitAt(len, key0, key1, key2, key3)]!;
    }
    this.#left = depth;
    return this.next();
  }

  /** The next shorter prefix of the address that {@link first} was asked for. Null: there is none. */
  next(): T | null {
    return this.#left === 0 ? null : this.#values[this.#met[--this.#left]!]!;
  }

  /** The value of this very prefix. */
  get(key0: number, key1: number, key2: number, key3: number, len: number): T | null {
    const nodes = this.#nodes;
    let node = nodes[LEFT]!;
    while (node !== 0) {
      const at = node << NODE_SHIFT;
      const nodeLen = nodes[at]!;
      if (nodeLen > len || !covers(nodes, at, key0, key1, key2, key3)) return null;
      if (nodeLen === len) return this.#values[nodes[at + VALUE]!]!;
      node = nodes[at + LEFT + bitAt(nodeLen, key0, key1, key2, key3)]!;
    }
    return null;
  }

  /** Gives a prefix a value, in the place of the one it has. Bits behind the prefix do not count. */
  set(key0: number, key1: number, key2: number, key3: number, len: number, value: T): void {
    // Where the number of the node that comes next is written.
    let link = LEFT;
    for (;;) {
      const nodes = this.#nodes;
      const node = nodes[link]!;
      if (node === 0) {
        this.#link(link, this.#make(key0, key1, key2, key3, len), value);
        return;
      }
      const at = node << NODE_SHIFT;
      const nodeLen = nodes[at]!;
      const common = commonBits(nodes, at, key0, key1, key2, key3, Math.min(len, nodeLen));
      if (common < nodeLen) {
        this.#insertAbove(link, node, common, key0, key1, key2, key3, len, value);
        return;
      }
      if (nodeLen === len) {
        this.#setValue(node, value);
        return;
      }
      link = at + LEFT + bitAt(nodeLen, key0, key1, key2, key3);
    }
  }

  /** Takes a prefix out. False: it is not there. */
  delete(key0: number, key1: number, key2: number, key3: number, len: number): boolean {
    const nodes = this.#nodes;
    let up = 0;
    let link = LEFT;
    for (;;) {
      const node = nodes[link]!;
      const at = node << NODE_SHIFT;
      if (node === 0 || nodes[at]! > len || !covers(nodes, at, key0, key1, key2, key3)) return false;
      if (nodes[at] === len) break;
      up = link;
      link = at + LEFT + bitAt(nodes[at]!, key0, key1, key2, key3);
    }
    const node = nodes[link]!;
    if (nodes[(node << NODE_SHIFT) + VALUE] === 0) return false;
    this.#clearValue(node);
    this.#prune(link);
    // A branch that has lost a side is no branch any more.
    if (up !== 0 && nodes[link] === 0) this.#prune(up);
    return true;
  }

  /** All values, a prefix before the longer ones in it. The trie stays as it is meanwhile. */
  *values(): Generator<T> {
    const open = [this.#nodes[LEFT]!];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node === 0) continue;
      const at = node << NODE_SHIFT;
      const value = this.#values[this.#nodes[at + VALUE]!]!;
      if (value !== null) yield value;
      open.push(this.#nodes[at + RIGHT]!, this.#nodes[at + LEFT]!);
    }
  }

  /** Nodes in use: at most two for each prefix. */
  get nodeCount(): number {
    let count = this.#used - 1;
    for (let free = this.#freeNode; free !== 0; free = this.#nodes[(free << NODE_SHIFT) + LEFT]!) count--;
    return count;
  }

  #insertAbove(
    link: number,
    below: number,
    common: number,
    key0: number,
    key1: number,
    key2: number,
    key3: number,
    len: number,
    value: T,
  ): void {
    const atBelow = below << NODE_SHIFT;
    const { [atBelow + KEY0]: below0, [atBelow + KEY1]: below1, [atBelow + KEY2]: below2, [atBelow + KEY3]: below3 } = this.#nodes;
    const sideOfBelow = bitAt(common, below0!, below1!, below2!, below3!);
    const above = this.#make(key0, key1, key2, key3, common);
    const atAbove = above << NODE_SHIFT;
    this.#nodes[atAbove + LEFT + sideOfBelow] = below;
    if (common === len) {
      this.#link(link, above, value);
      return;
    }
    this.#nodes[link] = above;
    const leaf = this.#make(key0, key1, key2, key3, len);
    this.#link(atAbove + LEFT + (1 - sideOfBelow), leaf, value);
  }

  #link(link: number, node: number, value: T): void {
    this.#nodes[link] = node;
    this.#setValue(node, value);
  }

  #setValue(node: number, value: T): void {
    const at = (node << NODE_SHIFT) + VALUE;
    if (this.#nodes[at] === 0) {
      this.#nodes[at] = this.#freeValues.pop() ?? this.#values.length;
      this.count++;
    }
    this.#values[this.#nodes[at]!] = value;
  }

  #clearValue(node: number): void {
    const at = (node << NODE_SHIFT) + VALUE;
    const index = this.#nodes[at]!;
    this.#values[index] = null;
    this.#freeValues.push(index);
    this.#nodes[at] = 0;
    this.count--;
  }

  /** Takes out the node that `link` leads to, unless it has a value or two sides. */
  #prune(link: number): void {
    const nodes = this.#nodes;
    const node = nodes[link]!;
    const at = node << NODE_SHIFT;
    const { [at + LEFT]: left, [at + RIGHT]: right } = nodes;
    if (nodes[at + VALUE] !== 0 || (left !== 0 && right !== 0)) return;
    nodes[link] = left !== 0 ? left! : right!;
    nodes[at + LEFT] = this.#freeNode;
    this.#freeNode = node;
  }

  #make(key0: number, key1: number, key2: number, key3: number, len: number): number {
    const node = this.#take();
    const at = node << NODE_SHIFT;
    const nodes = this.#nodes;
    nodes[at + LEN] = len;
    nodes[at + LEFT] = 0;
    nodes[at + RIGHT] = 0;
    nodes[at + VALUE] = 0;
    nodes[at + KEY0] = key0;
    nodes[at + KEY1] = key1;
    nodes[at + KEY2] = key2;
    nodes[at + KEY3] = key3;
    return node;
  }

  #take(): number {
    if (this.#freeNode !== 0) {
      const node = this.#freeNode;
      this.#freeNode = this.#nodes[(node << NODE_SHIFT) + LEFT]!;
      return node;
    }
    if ((this.#used + 1) << NODE_SHIFT > this.#nodes.length) {
      const grown = new Int32Array(this.#nodes.length * 2);
      grown.set(this.#nodes);
      this.#nodes = grown;
    }
    return this.#used++;
  }
}
