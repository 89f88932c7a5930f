import type { NetDevice } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, Devices, FlowRule, FlowSteering, IP_PROTOCOL } from '@softnet/contract';
import { WireModule } from '@softnet/nic-driver';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Datagram } from './arrivals.ts';
import { frameOf, sendFrame } from './arrivals.ts';
import { drops, skbsOut } from './frames.ts';
import { flowAndNumber, flowOf, keyOf, wired } from './multi-queue.ts';

/** "Verifying the RSS Hash Calculation", Windows hardware documentation. */
const KEY = Uint8Array.from(Buffer.from('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa', 'hex'));
const VECTORS: readonly (readonly [string, number, string, number, number, number])[] = [
  ['161.142.100.80', 1766, '66.9.149.187', 2794, 0x323e8fc2, 0x51ccc178],
  ['65.69.140.83', 4739, '199.92.111.2', 14230, 0xd718262a, 0xc626b0ea],
  ['3ffe:2501:200:3::1', 1766, '3ffe:2501:200:1fff::7', 2794, 0x2cc18cd5, 0x40207d3d],
  ['fe80::200:f8ff:fe21:67cf', 38024, '3ffe:1900:4545:3:200:f8ff:fe21:67cf', 44251, 0x4b61e985, 0x02d1feef],
];

function ruleFor(location: number, flow: number, queue: number): FlowRule {
  const rule = new FlowRule();
  Object.assign(rule, { location, queue });
  Object.assign(rule.key, keyOf(flowOf(flow)));
  return rule;
}

const received = ({ rxQueues }: NetDevice): number[] => rxQueues.map(({ packets }) => packets);

describe('a wire with several queues', () => {
  test.each(VECTORS)("hashes as Microsoft's vectors say: %s:%i from %s:%i", async (dst, dstPort, src, srcPort, addresses, ports) => {
    const { world, kernel, a, b, arrivals, ethtool } = await wired({ queues: 4 });
    ethtool().setSpread(b, KEY, null);
    for (const protocol of [IP_PROTOCOL.UDP, IP_PROTOCOL.TCP]) sendFrame(kernel, a, frameOf(b, { src, dst, srcPort, dstPort, protocol }));
    const fragment = frameOf(b, { src, dst, srcPort, dstPort });
    // More fragments: ports are not looked at. IPv6 says it in a header of its own.
    if (src.includes('.')) fragment[20] = 0x20;
    else fragment.set([44, fragment[21]!], 20);
    if (src.includes(':')) fragment.set([17, 0, 0, 1], 54);
    sendFrame(kernel, a, fragment);
    await world.advance(10);
    expect(arrivals.all.map(({ hash }) => hash)).toEqual([ports | 0, ports | 0, addresses | 0]);
    expect(arrivals.all.map(({ queue }) => queue)).toEqual([ports, ports, addresses].map((hash) => ((hash & 127) % 4) >>> 0));
  });

  test('spreads flows, and keeps each in its queue and in order', async () => {
    const { world, b, arrivals, send } = await wired({ queues: 4 });
    for (let number = 0; number < 5; number++) for (let flow = 0; flow < 200; flow++) send(flow, number);
    await world.advance(1000);
    for (const packets of received(b)) expect(packets).toBeGreaterThan(120);
    const queues = new Map<number, number>();
    const next = new Map<number, number>();
    for (const { packet, queue } of arrivals.all) {
      const [flow, number] = flowAndNumber(packet);
      expect(queues.get(flow) ?? queue).toBe(queue);
      queues.set(flow, queue);
      expect(number).toBe(next.get(flow) ?? 0);
      next.set(flow, number + 1);
    }
    expect(arrivals.all.length).toBe(1000);
  });

  test('what is no IP, or lies, goes to queue 0 without a hash', async () => {
    const { world, kernel, other, a, b } = await wired({ queues: 4 });
    const frame = frameOf(b, flowOf(1));
    for (const cut of [
      frame.subarray(0, 14),
      frame.subarray(0, 30),
      frame.subarray(0, 35),
      Uint8Array.from(frame, (byte, i) => (i === 14 ? 0x65 : byte)),
    ]) {
      sendFrame(kernel, a, cut.slice());
    }
    await world.advance(10);
    expect(received(b)).toEqual([4, 0, 0, 0]);
    expect(skbsOut(other)).toBe(0);
  });

  test('obeys exact flow rules, lower locations first; drops by rule, with a reason', async () => {
    const { world, other, b, arrivals, ethtool, send } = await wired({ queues: 4 });
    send(1, 0);
    await world.advance(10);
    const bySpread = arrivals.all[0]!.queue;
    const elsewhere = (bySpread + 1) % 4;
    ethtool().addFlowRule(b, ruleFor(5, 1, bySpread));
    ethtool().addFlowRule(b, ruleFor(3, 1, elsewhere));
    ethtool().addFlowRule(b, ruleFor(4, 2, -1));
    for (const flow of [1, 2]) send(flow, 1);
    await world.advance(10);
    expect(arrivals.all.slice(1).map(({ packet, queue }) => [flowAndNumber(packet)[0], queue])).toEqual([[1, elsewhere]]);
    expect(drops(other)).toEqual({ 'wire.flow-rule': 1 });
    expect(b.stats.rxDropped).toBe(1);
    ethtool().removeFlowRule(b, 3);
    ethtool().removeFlowRule(b, 4);
    for (const flow of [1, 2]) send(flow, 2);
    await world.advance(10);
    expect(arrivals.all.slice(2).map(({ packet }) => flowAndNumber(packet)[0])).toEqual([1, 2]);
    expect(arrivals.all[2]!.queue).toBe(bySpread);
    expect(() => ethtool().addFlowRule(b, ruleFor(1, 1, 4))).toThrow('EINVAL');
  });

  test('automatic rules give way to those that somebody orders, and go first when there are too many', async () => {
    const { other, b, ethtool } = await wired({ queues: 4 });
    const steering = other.port(FlowSteering).current;
    for (let flow = 0; flow < 1100; flow++) steering.readerMoved(keyOf(flowOf(flow)), flow + 1, 2, 0);
    expect(b.flowRules.length).toBe(1024);
    expect(b.flowRules[0]!.key.remotePort).toBe(1000 + 76);
    ethtool().addFlowRule(b, ruleFor(0, 1099, 1));
    expect(b.flowRules.length).toBe(1024);
    expect(b.flowRules[0]).toMatchObject({ location: 0, queue: 1, automatic: false });
    // The same flow again takes no more room.
    const before = b.flowRules.length;
    steering.readerMoved(keyOf(flowOf(1098)), 5, 3, 0);
    expect(b.flowRules.length).toBe(before);
  });

  test('says nothing of rules while it does not steer', async () => {
    const { other, b, ethtool } = await wired({ queues: 4 });
    other.port(Devices).current.setFeatures(b, b.features & ~DEVICE_FEATURE.FLOW_STEERING);
    expect(() => ethtool().addFlowRule(b, ruleFor(1, 1, 1))).toThrow('EOPNOTSUPP: eth0 does not steer flows');
    expect(b.ops.steer!(b, keyOf(flowOf(1)), 1, 0)).toBe(false);
  });

  test('the reader of a flow moves to a shard, with a priority: its packets arrive there', async () => {
    const { world, other, b, arrivals, send } = await wired({ queues: 4, priorities: [0, 0, 7, 7] });
    expect(b.rxQueues.map(({ shard }) => shard)).toEqual([0, 1, 0, 1]);
    const steering = other.port(FlowSteering).current;
    for (const [shard, priority, queue] of [
      [1, 0, 1],
      [0, 7, 2],
      [1, 5, 3],
    ] as const) {
      steering.readerMoved(keyOf(flowOf(1)), 99, shard, priority);
      send(1, 0);
      await world.advance(10);
      expect(arrivals.all.at(-1)!.queue).toBe(queue);
    }
  });

  test('verifies checksums where it is told to', async () => {
    const { world, kernel, other, a, b, arrivals } = await wired();
    other.port(Devices).current.setFeatures(b, b.features | DEVICE_FEATURE.RX_CHECKSUM);
    const cases: Datagram[] = [
      flowOf(1),
      { ...flowOf(1), protocol: IP_PROTOCOL.TCP },
      { src: 'fd00::1', dst: 'fd00::2', srcPort: 1, dstPort: 2 },
    ];
    for (const each of cases) {
      for (const lenBytes of [0, 1, 700, 1400]) {
        const frame = frameOf(b, { ...each, payload: new Uint8Array(lenBytes).fill(3) });
        sendFrame(kernel, a, frame);
        const damaged = frame.slice();
        damaged[damaged.length - 1]! ^= 4;
        sendFrame(kernel, a, damaged);
      }
    }
    await world.advance(100);
    expect(arrivals.all.map(({ checksum }) => checksum)).toEqual(
      Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? CHECKSUM.UNNECESSARY : CHECKSUM.NONE)),
    );
  });
});

/** What may befall flows on their way: three of them, four queues. */
const flow = fc.nat(2);
const queue = fc.nat(3);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ sort: fc.constant('send' as const), flow, count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ sort: fc.constant('steer' as const), flow, queue }) },
  { weight: 1, arbitrary: fc.record({ sort: fc.constant('rule' as const), flow, queue }) },
  { weight: 1, arbitrary: fc.record({ sort: fc.constant('unrule' as const), flow }) },
  { weight: 1, arbitrary: fc.record({ sort: fc.constant('spread' as const), table: fc.array(queue, { minLength: 4, maxLength: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ sort: fc.constant('moderate' as const), queue, us: fc.constantFrom(0, 900), packets: fc.constantFrom(0, 8) }),
  },
  { weight: 5, arbitrary: fc.record({ sort: fc.constant('pass' as const), us: fc.integer({ min: 1, max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ sort: fc.constant('replace' as const) }) },
);

test('a flow that moves from queue to queue loses nothing and is never reordered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      const { world, other, b, arrivals, ethtool, send } = await wired({ queues: 4 });
      // Frames wait: short in some queues, long in others.
      for (const [i, us] of [0, 100, 400, 1000].entries()) ethtool().setCoalescing(b, [b.rxQueues[i]!], { us });
      ethtool().setSpread(b, null, [0, 1, 2, 3]);
      const sent = new Array<number>(3).fill(0);
      for (const each of steps) {
        if (each.sort === 'send') for (let i = 0; i < each.count; i++) send(each.flow, sent[each.flow]!++);
        else if (each.sort === 'steer') b.ops.steer!(b, keyOf(flowOf(each.flow)), each.queue, 0);
        else if (each.sort === 'rule') ethtool().addFlowRule(b, ruleFor(each.flow, each.flow, each.queue));
        else if (each.sort === 'unrule') {
          if (b.flowRules.some(({ location }) => location === each.flow)) ethtool().removeFlowRule(b, each.flow);
        } else if (each.sort === 'spread') ethtool().setSpread(b, null, each.table);
        else if (each.sort === 'moderate') ethtool().setCoalescing(b, [b.rxQueues[each.queue]!], each);
        else if (each.sort === 'pass') await world.advance(each.us);
        else await world.run(other.replace('wire', WireModule));
      }
      await world.advance(10_000);
      const next = new Array<number>(3).fill(0);
      for (const { packet } of arrivals.all) {
        const [flow, number] = flowAndNumber(packet);
        expect(number).toBe(next[flow]!++);
      }
      expect(next).toEqual(sent);
      expect(drops(other)).toEqual({});
      expect(skbsOut(other)).toBe(0);
      // What has moved is where it was moved to.
      b.ops.steer!(b, keyOf(flowOf(0)), 3, 0);
      const ordered = b.flowRules.find(({ location }) => location === 0);
      send(0, 0);
      await world.advance(1000);
      expect(arrivals.all.at(-1)!.queue).toBe(ordered?.queue ?? 3);
    }),
    { numRuns: 15 },
  );
});
