import type { Loop } from './span.ts';

const CHUNKS = 100;
const CHUNK = 10_000;

/**
 * Bytes on V8's heap that an operation allocates once warm: the growth over a million operations, in chunks, so that a
 * collection spoils one chunk and not the sum (a chunk that shrank is left out). What reading the heap's size allocates
 * is measured first, and taken off. Wants --expose-gc.
 */
export async function bytesPerOperation(loop: Loop): Promise<number> {
  // In chunks too: V8 optimises the loop for being entered, not only for going on.
  for (let chunk = 0; chunk < 2 * CHUNKS; chunk++) await loop(CHUNK);
  const reading = await meanGrowth(() => 0);
  return Math.max(0, (await meanGrowth(loop)) - reading) / CHUNK;
}

async function meanGrowth(loop: Loop): Promise<number> {
  collect();
  let sum = 0;
  let chunks = 0;
  let before = process.memoryUsage().heapUsed;
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const result = loop(CHUNK);
    if (typeof result !== 'number') await result;
    const after = process.memoryUsage().heapUsed;
    if (after >= before) {
      sum += after - before;
      chunks++;
    }
    before = after;
  }
  if (chunks === 0) throw new Error('the heap was collected in every chunk: the operation allocates a great deal');
  return sum / chunks;
}

/** Bytes that each of `count` things keeps on the heap. `fill` puts them into the array, which has the room already. */
export function bytesKeptEach(count: number, fill: (things: unknown[]) => void): number {
  const things = new Array<unknown>(count).fill(null);
  collect();
  const before = process.memoryUsage().heapUsed;
  fill(things);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  if (things.includes(null)) throw new Error('the array was not filled');
  return bytes / count;
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('the heap is measured with --expose-gc only: run it by npm run bench');
  globalThis.gc();
  globalThis.gc();
}
