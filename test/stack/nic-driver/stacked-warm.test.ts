import { expect, test, vi } from 'vitest';
import { heapPerPacket, PACKETS, SinkModule } from './heap-per-packet.ts';
import type { Layer } from './stacked-hosts.ts';
import { stackedHosts } from './stacked-hosts.ts';

vi.setConfig({ testTimeout: 60_000 });

const FAULTS = { delayUs: 50, jitterUs: 20, loss: 0.05, duplicate: 0.05, reorder: 0.05, corrupt: 0.05, burstBegin: 0.02 };
const cases: readonly (readonly [string, number, Layer])[] = [
  ['an idle fault injector', 4, { kind: 'fault' }],
  ['faults of all sorts, at a rate', 4, { kind: 'fault', options: { ...FAULTS, rateBps: 2_000_000_000 } }],
  // The file's bytes lie outside of the heap; what a piece of it takes there is for many packets.
  ['a capture', 50, { kind: 'capture', options: { write: () => {} } }],
  ['a capture into a ring', 4, { kind: 'capture', options: { ring: { maxBytes: 65_536 } } }],
];

test.each(cases)('a packet allocates nothing on the way out by %s', async (_name, limitBytes, layer) => {
  const { world, a, b } = await stackedHosts([layer]);
  for (const { kernel } of [a, b]) await world.run(kernel.load(SinkModule));
  expect(heapPerPacket(world, a.kernel, a.top, limitBytes)).toBeLessThan(limitBytes);
  expect(b.top.stats.rxPackets).toBeGreaterThan(6 * PACKETS);
});

test.each(cases)('a packet allocates nothing on the way in by %s', async (_name, limitBytes, layer) => {
  const { world, a, b } = await stackedHosts([layer]);
  for (const { kernel } of [a, b]) await world.run(kernel.load(SinkModule));
  expect(heapPerPacket(world, b.kernel, b.top, limitBytes)).toBeLessThan(limitBytes);
  expect(a.top.stats.rxPackets).toBeGreaterThan(6 * PACKETS);
});
