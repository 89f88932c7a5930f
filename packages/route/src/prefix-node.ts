/** Words of a node, all int32, in one array: 32 bytes, half a cache line, and nothing for the collector to visit. */
export const LEN = 0;
/** Numbers of the children, by the first bit behind the prefix; 0: none. In a free node, LEFT is the next free one. */
export const LEFT = 1;
export const RIGHT = 2;
/** Index of its value; 0: none, the node is a branch. */
export const VALUE = 3;
export const KEY0 = 4;
export const KEY1 = 5;
export const KEY2 = 6;
export const KEY3 = 7;
export const NODE_SHIFT = 3;

/** Whether the node's prefix is one of the address. */
export function covers(nodes: Int32Array, at: number, key0: number, key1: number, key2: number, key3: number): boolean {
  const len = nodes[at]!;
  if (len === 0) return true;
  if (len <= 32) return (nodes[at + KEY0]! ^ key0) >>> (32 - len) === 0;
  if (nodes[at + KEY0] !== key0) return false;
  if (len <= 64) return (nodes[at + KEY1]! ^ key1) >>> (64 - len) === 0;
  if (nodes[at + KEY1] !== key1) return false;
  if (len <= 96) return (nodes[at + KEY2]! ^ key2) >>> (96 - len) === 0;
  return nodes[at + KEY2] === key2 && (nodes[at + KEY3]! ^ key3) >>> (128 - len) === 0;
}

/** How many of the first `most` bits of the node's key and another are the same. */
export function commonBits(nodes: Int32Array, at: number, key0: number, key1: number, key2: number, key3: number, most: number): number {
  let common = Math.clz32(nodes[at + KEY0]! ^ key0);
  if (common === 32) common += Math.clz32(nodes[at + KEY1]! ^ key1);
  if (common === 64) common += Math.clz32(nodes[at + KEY2]! ^ key2);
  if (common === 96) common += Math.clz32(nodes[at + KEY3]! ^ key3);
  return Math.min(common, most);
}

/** The bit at `index`, 0 to 127, from the most significant one on. */
export function bitAt(index: number, key0: number, key1: number, key2: number, key3: number): number {
  const word = index < 64 ? (index < 32 ? key0 : key1) : index < 96 ? key2 : key3;
  return (word >>> (31 - (index & 31))) & 1;
}
