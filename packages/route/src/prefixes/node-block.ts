import { popCount } from './bits.ts';
import type { WordPool } from './word-pool.ts';

/**
 * A node tells addresses apart by eight bits: 256 slots, of which equal neighbours are kept once, as a run. Its words: fallback; depth and
 * number of runs; for each 32 slots how many runs begin before them (a byte each); a bit for each slot at which a run begins; the bits of
 * addresses before its own (a node may be deeper than where it hangs); the runs.
 */
export const SHAPE = 1;
const BEFORE = 2;
const BEGINS = 4;
export const KEY = 12;
export const RUNS = 16;
export const SLOTS = 256;

/** How many bits of an address stand before the node's own: a multiple of eight. */
export function depthOf(shape: number): number {
  return shape & 0xff;
}

export function runsOf(shape: number): number {
  return shape >>> 8;
}

/** Where the run of a slot is. */
export function runAt(words: Int32Array, at: number, octet: number): number {
  const group = octet >>> 5;
  const before = (words[at + BEFORE + (group >>> 2)]! >>> ((group & 3) << 3)) & 0xff;
  return at + RUNS - 1 + before + popCount(words[at + BEGINS + group]! & ((2 << (octet & 31)) - 1));
}

/** A node whose 256 slots have nothing; its fallback, shape and key are the caller's. */
export function makeNode(pool: WordPool): number {
  const at = pool.take(RUNS + 1);
  pool.words.fill(0, at, at + RUNS + 1);
  pool.words[at + SHAPE] = 1 << 8;
  pool.words[at + BEGINS] = 1;
  pool.words[at + BEFORE] = 0x01010100;
  pool.words[at + BEFORE + 1] = 0x01010101;
  return at;
}

export function giveNode(pool: WordPool, at: number): void {
  pool.give(at, RUNS + runsOf(pool.words[at + SHAPE]!));
}

/** Writes out all slots. */
export function unfold(words: Int32Array, at: number, slots: Int32Array): void {
  let run = at + RUNS - 1;
  for (let group = 0; group < 8; group++) {
    const begins = words[at + BEGINS + group]!;
    const base = group << 5;
    if (begins === 0) {
      slots.fill(words[run]!, base, base + 32);
      continue;
    }
    for (let i = 0; i < 32; i++) {
      run += (begins >>> i) & 1;
      slots[base + i] = words[run]!;
    }
  }
}

/** The node has these slots now. Returns where it is: it may need another block. */
export function fold(pool: WordPool, at: number, slots: Int32Array): number {
  const runs = countRuns(slots);
  const shape = pool.words[at + SHAPE]!;
  const to = pool.resize(at, RUNS + runsOf(shape), RUNS + runs);
  pool.words[to + SHAPE] = depthOf(shape) | (runs << 8);
  writeRuns(pool.words, to, slots);
  return to;
}

/** A node with these slots; its fallback and key are the caller's. */
export function makeFolded(pool: WordPool, slots: Int32Array, depth: number): number {
  const runs = countRuns(slots);
  const at = pool.take(RUNS + runs);
  pool.words[at + SHAPE] = depth | (runs << 8);
  writeRuns(pool.words, at, slots);
  return at;
}

function countRuns(slots: Int32Array): number {
  let runs = 1;
  for (let i = 1; i < SLOTS; i++) if (slots[i] !== slots[i - 1]) runs++;
  return runs;
}

function writeRuns(words: Int32Array, at: number, slots: Int32Array): void {
  let run = at + RUNS - 1;
  let before = 0;
  words[at + BEFORE] = 0;
  words[at + BEFORE + 1] = 0;
  for (let group = 0; group < 8; group++) {
    const base = group << 5;
    words[at + BEFORE + (group >>> 2)]! |= (before & 0xff) << ((group & 3) << 3);
    let begins = 0;
    for (let i = 0; i < 32; i++) {
      const slot = slots[base + i]!;
      if (base + i !== 0 && slot === slots[base + i - 1]) continue;
      begins |= 1 << i;
      before++;
      words[++run] = slot;
    }
    words[at + BEGINS + group] = begins;
  }
}

/**
 * Slots from `first` to before `end`, which are of one run now, have another value. Returns where the node is now; 0: that run would be one with
 * its neighbour, so it wants {@link fold}.
 */
export function splitRun(pool: WordPool, at: number, first: number, end: number, slot: number): number {
  const old = pool.words;
  const run = runAt(old, at, first) - at;
  const runs = runsOf(old[at + SHAPE]!);
  const value = old[at + run]!;
  const begins = first === 0 || beginsAt(old, at, first);
  const ends = end === SLOTS || beginsAt(old, at, end);
  if (begins && run > RUNS && old[at + run - 1] === slot) return 0;
  if (ends && run < RUNS + runs - 1 && old[at + run + 1] === slot) return 0;
  const more = (begins ? 0 : 1) + (ends ? 0 : 1);
  const to = pool.resize(at, RUNS + runs, RUNS + runs + more);
  const { words } = pool;
  for (let i = to + RUNS + runs - 1; i > to + run; i--) words[i + more] = words[i]!;
  let next = to + run;
  if (!begins) {
    words[next++] = value;
    begin(words, to, first);
  }
  words[next++] = slot;
  if (!ends) {
    words[next] = value;
    begin(words, to, end);
  }
  words[to + SHAPE]! += more << 8;
  return to;
}

function beginsAt(words: Int32Array, at: number, octet: number): boolean {
  return ((words[at + BEGINS + (octet >>> 5)]! >>> (octet & 31)) & 1) !== 0;
}

/** A run begins there now: groups behind have one more before them. */
function begin(words: Int32Array, at: number, octet: number): void {
  const group = octet >>> 5;
  words[at + BEGINS + group]! |= 1 << (octet & 31);
  if (group < 4) {
    if (group < 3) words[at + BEFORE]! += 0x01010101 << ((group + 1) << 3);
    words[at + BEFORE + 1]! += 0x01010101;
  } else if (group < 7) words[at + BEFORE + 1]! += 0x01010101 << ((group - 3) << 3);
}
