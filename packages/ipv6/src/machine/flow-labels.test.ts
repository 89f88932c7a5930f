import { Flow } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowLabels, isWanted } from './flow-labels.ts';
import { AUTO_LABEL } from './settings.ts';
import { Ipv6SockOptions } from './sock-options.ts';

const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
const flows = fc.record({ src: words, dst: words, srcPort: fc.nat(65_535), dstPort: fc.nat(65_535), hash: fc.constantFrom(0, 0, 7, -5) });

function flowOf({
  src,
  dst,
  srcPort,
  dstPort,
  hash,
}: Record<'src' | 'dst', readonly number[]> & Record<'srcPort' | 'dstPort' | 'hash', number>): Flow {
  const ends = Object.fromEntries([0, 1, 2, 3].flatMap((i) => [[`src${i}`, src[i]!] as const, [`dst${i}`, dst[i]!] as const]));
  return Object.assign(new Flow(), ends, { srcPort, dstPort, hash, protocol: 17 });
}

function wanting(autoFlowLabel: number): Ipv6SockOptions {
  return Object.assign(new Ipv6SockOptions(), { autoFlowLabel });
}

test('RFC 6437 §3: 20 bits, never 0, the same for a flow; by another secret another', () => {
  const [labels, others] = [1, 2].map((secret) => new FlowLabels(secret, { value: 1 }));
  let same = 0;
  let count = 0;
  fc.assert(
    fc.property(flows, (each) => {
      const label = labels!.of(flowOf(each), null);
      expect(label).toBeGreaterThan(0);
      expect(label).toBeLessThanOrEqual(0xfffff);
      expect(labels!.of(flowOf(each), null)).toBe(label);
      count++;
      if (others!.of(flowOf(each), null) === label) same++;
    }),
  );
  expect(same / count).toBeLessThan(0.05);
});

test('are spread over all there are (RFC 6437 §2): 4,096 flows that differ by a port fall upon 64 parts alike', () => {
  const labels = new FlowLabels(99, { value: 1 });
  for (const part of [0, 14]) {
    const parts = new Int32Array(64);
    for (let srcPort = 0; srcPort < 4096; srcPort++) {
      parts[(labels.of(flowOf({ src: [1, 2, 3, 4], dst: [5, 6, 7, 8], srcPort, dstPort: 53, hash: 0 }), null) >>> part) & 63]!++;
    }
    expect(Math.min(...parts)).toBeGreaterThan(25);
    expect(Math.max(...parts)).toBeLessThan(110);
  }
});

test('one that the flow has stays', () => {
  const flow = flowOf({ src: [1, 2, 3, 4], dst: [5, 6, 7, 8], srcPort: 1, dstPort: 2, hash: 0 });
  flow.label = 0x12345;
  expect(new FlowLabels(1, { value: 3 }).of(flow, null)).toBe(0x12345);
});

test.each([
  // mode, by default, asked for, refused
  [AUTO_LABEL.OFF, false, false, false],
  [AUTO_LABEL.UNLESS_REFUSED, true, true, false],
  [AUTO_LABEL.IF_WANTED, false, true, false],
  [AUTO_LABEL.FORCED, true, true, true],
] as const)('net.ipv6.auto_flowlabels %d', (mode, usual, wanted, refused) => {
  expect([isWanted(mode, null), isWanted(mode, wanting(-1)), isWanted(mode, wanting(1)), isWanted(mode, wanting(0))]).toEqual([
    usual,
    usual,
    wanted,
    refused,
  ]);
});
