/** Bits that a pass tells apart. */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/**
 * Sorts prefixes, each its words and then its slot: by their bits, and a prefix before the longer ones that begin with it. Radix sort, the last
 * digit first; digits in which all are alike take no pass. Returns the list, or another in its place.
 * @param stride words of each.
 */
export function sortPrefixes(list: Int32Array, stride: number): Int32Array {
  let from = list;
  let to: Int32Array = new Int32Array(list.length);
  const counts = new Int32Array(DIGITS);
  const pass = (word: number, shift: number, mask: number): void => {
    if (!countDigits(from, stride, word, shift, mask, counts)) return;
    if (stride === 2) movePairs(from, to, word, shift, mask, counts);
    else move(from, to, stride, word, shift, mask, counts);
    [from, to] = [to, from];
  };
  pass(stride - 1, 0, 0xff);
  for (let word = stride - 2; word >= 0; word--) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) pass(word, shift, DIGITS - 1);
  }
  return from;
}

/** Counts become places of the first of each digit. False: all have the same one. */
function countDigits(list: Int32Array, stride: number, word: number, shift: number, mask: number, counts: Int32Array): boolean {
  counts.fill(0);
  for (let at = word; at < list.length; at += stride) counts[(list[at]! >>> shift) & mask]!++;
  if (list.length === 0 || counts[(list[word]! >>> shift) & mask]! * stride === list.length) return false;
  let sum = 0;
  for (let digit = 0; digit <= mask; digit++) {
    const count = counts[digit]!;
    counts[digit] = sum;
    sum += count;
  }
  return true;
}

function move(from: Int32Array, to: Int32Array, stride: number, word: number, shift: number, mask: number, places: Int32Array): void {
  for (let at = 0; at < from.length; at += stride) {
    const place = places[(from[at + word]! >>> shift) & mask]!++ * stride;
    for (let i = 0; i < stride; i++) to[place + i] = from[at + i]!;
  }
}

/** {@link move} where there are two words: a million want it quick. */
function movePairs(from: Int32Array, to: Int32Array, word: number, shift: number, mask: number, places: Int32Array): void {
  for (let at = 0; at < from.length; at += 2) {
    const place = places[(from[at + word]! >>> shift) & mask]!++ << 1;
    to[place] = from[at]!;
    to[place + 1] = from[at + 1]!;
  }
}
