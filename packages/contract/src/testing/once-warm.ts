/** So many chunks at most until it must be warm. */
const MOST_CHUNKS = 400;
const WINDOW = 9;
/** So many operations at a time, where nothing else is said. */
const CHUNK_CALLS = 10_000;

/**
 * Bytes of heap per operation once warm: the median of a window of chunks. Warm is when V8 has optimised, which is the business of
 * another thread: nobody knows after how many operations, so it may take many chunks, but at last no more than `limitBytes` are
 * allocated; what is never warm gives its last figure.
 * @param chunk does some hundred operations, and returns by how much the heap grew for each; negative: it was collected meanwhile.
 */
export function onceWarm(limitBytes: number, chunk: () => number): number {
  globalThis.gc!();
  const window: number[] = [];
  for (let count = 0; count < MOST_CHUNKS; count++) {
    const grown = chunk();
    // A chunk in which the heap was collected says nothing.
    if (grown < 0) continue;
    window.push(grown);
    if (window.length > WINDOW) window.shift();
    if (window.length === WINDOW && median(window) < limitBytes) break;
  }
  return median(window);
}

/** The same of a call, made `count` times a chunk; and how many were made in all. */
export function onceWarmCalls(limitBytes: number, count: number, act: (call: number) => void): { bytes: number; calls: number } {
  let calls = 0;
  const bytes = onceWarm(limitBytes, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < count; i++) act(i);
    calls += count;
    return (process.memoryUsage().heapUsed - before) / count;
  });
  return { bytes, calls };
}

/** The same: the bytes alone. */
export function heapPerCall(limitBytes: number, act: (call: number) => void, count: number = CHUNK_CALLS): number {
  return onceWarmCalls(limitBytes, count, act).bytes;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? Number.POSITIVE_INFINITY;
}
