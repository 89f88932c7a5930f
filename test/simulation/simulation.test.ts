import { expect, test } from 'vitest';
import type { SimulationOptions } from './simulation.ts';
import { Simulation } from './simulation.ts';

/** `SOFTNET_SIMULATION=whole npm test -- test/simulation` runs all of it: half a minute. */
const WHOLE = process.env.SOFTNET_SIMULATION === 'whole';
const SIZE: Omit<SimulationOptions, 'seed'> = WHOLE
  ? { routers: 50, hostsEach: 4, steps: 600, sendersEach: 20 }
  : { routers: 10, hostsEach: 2, steps: 320, sendersEach: 4 };

test(`${SIZE.routers} routers and ${SIZE.routers * SIZE.hostsEach} hosts, links that fail and come back: the same captures twice, and all arrives once routes are there`, async () => {
  const begin = performance.now();
  const first = await new Simulation({ ...SIZE, seed: 7 }).run();
  const { captures, lost, twice, ...counts } = first;
  if (WHOLE) {
    const { rss } = process.memoryUsage();
    console.log(`${JSON.stringify(counts)}; ${Math.round(performance.now() - begin)} ms, ${Math.round(rss / 2 ** 20)} MiB resident`);
  }
  expect(lost).toEqual([]);
  expect(twice).toBe(0);
  expect(counts.failures).toBeGreaterThan(5);
  expect(counts.arrived).toBeGreaterThan(counts.sent * 0.8);
  expect(counts.capturedBytes).toBeGreaterThan(20_000);
  const second = await new Simulation({ ...SIZE, seed: 7 }).run();
  expect(second).toEqual(first);
  if (!WHOLE) expect((await new Simulation({ ...SIZE, seed: 8 }).run()).captures).not.toEqual(captures);
}, 600_000);
