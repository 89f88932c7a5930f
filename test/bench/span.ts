import type { Figures } from './work.ts';

/**
 * Does an operation `n` times, and returns a number that depends on all of them, so that V8 can leave none out. It can be
 * called again and again.
 */
export type Loop = (n: number) => number | Promise<number>;

/** How long it is run before it is measured (V8 has optimised it by then), ms. */
const WARM_MS = 200;
/** How long the measured run is to take, ms. */
const SPAN_MS = 80;

/**
 * Nanoseconds of CPU (user and system, all threads of this process: collecting garbage counts) per operation, once warm, as
 * the figure `ns`. Of CPU, so that waiting is free, and others' work on the machine does not count.
 */
export async function nsOf(loop: Loop): Promise<Figures> {
  const n = await warm(loop);
  globalThis.gc?.();
  const fromMs = cpuMs();
  const result = await loop(n);
  const spanMs = cpuMs() - fromMs;
  if (!Number.isFinite(result)) throw new Error(`the loop came to ${result}: it measures something else than it should`);
  return { ns: (spanMs * 1e6) / n };
}

/** Runs it in growing spans until it is warm, and returns how many operations fill the span that is measured. */
async function warm(loop: Loop): Promise<number> {
  const startMs = cpuMs();
  for (let n = 64; ; n = Math.ceil(n * 1.5)) {
    const fromMs = cpuMs();
    await loop(n);
    const nowMs = cpuMs();
    const tookMs = nowMs - fromMs;
    if (nowMs - startMs >= WARM_MS && tookMs >= SPAN_MS / 8) return Math.ceil((n * SPAN_MS) / tookMs);
  }
}

/** User and system time of the process so far. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
