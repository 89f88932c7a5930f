import { NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, TRANSMIT } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNeighbours, FAMILY } from '../testing/fake-neighbours.ts';

const { OVERRIDE, SOLICITED, CREATE } = NEIGHBOUR_UPDATE;
const { STALE, REACHABLE, PERMANENT } = NEIGHBOUR_STATE;
type Net = ReturnType<typeof bootNeighbours>;

const lasts = (net: Net): number[] =>
  net.core
    .entries(FAMILY)
    .map(({ address3 }) => address3)
    .sort((a, b) => a - b);

/** Makes a neighbour that has answered. */
function answer(net: Net, last: number): void {
  net.find(last);
  net.learn(last, 9, SOLICITED);
}

describe('in a full table', () => {
  const small = { collectFrom: 2, hurryFrom: 100, limit: 4 };

  test('who was only heard of goes before who is asked for, and both before who has answered', () => {
    const net = bootNeighbours(small);
    answer(net, 1);
    for (const last of [2, 3]) {
      const asked = net.find(last)!;
      asked.output(asked, net.kernel.packet(1));
    }
    net.learn(4, 9, CREATE | OVERRIDE);
    for (const [last, left] of [
      [5, [1, 2, 3, 5]],
      [6, [1, 2, 3, 6]],
    ] as const) {
      net.learn(last, 9, CREATE | OVERRIDE);
      expect(lasts(net)).toEqual(left);
    }
    const asked = net.find(7)!;
    asked.output(asked, net.kernel.packet(1));
    net.find(8);
    expect(lasts(net)).toEqual([1, 3, 7, 8]);
  });

  test('who has answered goes when nobody has needed him for 5 seconds; a gateway, and who was set by hand, never', () => {
    const net = bootNeighbours({ ...small, base_reachable_time_ms: 1000 });
    net.core.hopBegins(net.device, FAMILY, [0, 0, 0xffff, 1]);
    for (const last of [1, 2, 3]) answer(net, last);
    net.core.set(net.device, FAMILY, [0, 0, 0xffff, 4], Uint8Array.of(2, 0, 0, 0, 0, 4));
    expect(net.find(5)).toBeNull();
    net.kernel.advance(5000);
    const used = net.find(2)!;
    expect([used.state, net.find(5)]).toEqual([STALE, null]);
    net.kernel.advance(1001);
    net.learn(3, 8, OVERRIDE);
    expect([net.find(5)?.address3, lasts(net)]).toEqual([5, [1, 3, 4, 5]]);
    net.core.hopEnds(net.device, FAMILY, [0, 0, 0xffff, 1]);
    net.learn(5, 9, SOLICITED);
    expect([net.find(6)?.address3, lasts(net)]).toEqual([6, [3, 4, 5, 6]]);
  });

  test('a flood on one link is paid by that link', () => {
    const net = bootNeighbours({ collectFrom: 2, hurryFrom: 100, limit: 16 });
    const other = net.kernel.plug('eth1');
    for (let last = 1; last <= 4; last++) net.find(last, other);
    for (let last = 1; last <= 100; last++) net.find(last);
    expect(net.core.entries(FAMILY).filter(({ device }) => device === other)).toHaveLength(4);
  });

  test('a gateway that does not answer stays, also one that was not a gateway before', () => {
    const net = bootNeighbours(small);
    const gateway = net.find(1)!;
    gateway.output(gateway, net.kernel.packet(1));
    net.core.hopBegins(net.device, FAMILY, [0, 0, 0xffff, 1]);
    net.core.hopBegins(net.device, FAMILY, [0, 0, 0xffff, 1]);
    for (let last = 2; last < 50; last++) net.find(last);
    net.kernel.advance(10_000);
    for (let last = 50; last < 99; last++) net.find(last);
    expect([net.find(1) === gateway, gateway.gatewayOf]).toEqual([true, 2]);
    net.core.hopEnds(net.device, FAMILY, [0, 0, 0xffff, 1]);
    net.core.hopEnds(net.device, FAMILY, [0, 0, 0xffff, 1]);
    for (let last = 100; last < 150; last++) net.find(last);
    expect(lasts(net)).not.toContain(1);
  });
});

test('what waits for all together is bounded: who was asked for first loses his oldest', () => {
  const net = bootNeighbours({ waitingPackets: 3 });
  for (const last of [1, 1, 2, 3, 4, 5]) {
    const neighbour = net.find(last)!;
    const result = neighbour.output(neighbour, net.kernel.packet(last));
    expect(result).toBe(last <= 2 ? TRANSMIT.OK : TRANSMIT.CONGESTED);
  }
  expect(net.kernel.drops()).toEqual({ 'neighbour.queue-full': 3 });
  for (const last of [1, 2, 3, 4, 5]) net.learn(last, last, SOLICITED);
  expect(net.kernel.sent).toEqual(['3 to 3 by eth0', '4 to 4 by eth0', '5 to 5 by eth0']);
  const again = net.find(6)!;
  for (const byte of [1, 2, 3, 4]) again.output(again, net.kernel.packet(byte));
  net.learn(6, 6, SOLICITED);
  expect(net.kernel.sent.slice(3)).toEqual(['2 to 6 by eth0', '3 to 6 by eth0', '4 to 6 by eth0']);
});

test('what waits for gateways is bounded too: where nobody else can pay, each pays for himself', () => {
  const net = bootNeighbours({ waitingPackets: 3 });
  for (const last of [1, 2]) net.core.hopBegins(net.device, FAMILY, [0, 0, 0xffff, last]);
  for (const last of [1, 2]) {
    const neighbour = net.find(last)!;
    for (const byte of [5, 6, 7]) neighbour.output(neighbour, net.kernel.packet(byte));
  }
  for (const last of [1, 2]) net.learn(last, last, SOLICITED);
  expect(net.kernel.sent).toEqual(['5 to 1 by eth0', '6 to 1 by eth0', '7 to 1 by eth0', '7 to 2 by eth0']);
  expect(net.kernel.drops()).toEqual({ 'neighbour.queue-full': 2 });
});

test('who lost all that waited for him stands behind the others when something waits again', () => {
  const net = bootNeighbours({ waitingPackets: 2 });
  for (const last of [1, 2, 3, 1, 4, 5]) {
    const neighbour = net.find(last)!;
    neighbour.output(neighbour, net.kernel.packet(last));
  }
  for (const last of [1, 2, 3, 4, 5]) net.learn(last, last, SOLICITED);
  expect(net.kernel.sent).toEqual(['4 to 4 by eth0', '5 to 5 by eth0']);
});

describe('a step', () => {
  test('looks at few, however many there are', () => {
    const net = bootNeighbours({ collectFrom: 10, hurryFrom: 50_000, limit: 1 << 15 });
    for (let last = 0; last < 20_000; last++) net.learn(last, 9, CREATE | OVERRIDE);
    net.kernel.advance(59_000);
    const [sweep] = net.kernel.timers.filter(({ armed }) => armed);
    let most = 0;
    for (let steps = 0; net.core.entries(FAMILY).length > 10 && steps < 1000; steps++) {
      const before = net.visited.value;
      net.kernel.advance((sweep!.whenUs - net.kernel.nowUs) / 1000);
      most = Math.max(most, net.visited.value - before);
    }
    expect(lasts(net)).toHaveLength(10);
    expect(most).toBeGreaterThan(100);
    expect(most).toBeLessThan(128 + 16);
  });

  test('of a newcomer looks at one who has not answered, or at few who have', () => {
    const net = bootNeighbours({ collectFrom: 10, hurryFrom: 5000, limit: 1000 });
    for (let last = 0; last < 500; last++) answer(net, last);
    for (let last = 500; last < 1500; last++) net.find(last);
    expect([net.core.entries(FAMILY).length, net.visited.value]).toEqual([1000, 500]);
    for (let last = 1000; last < 1500; last++) net.learn(last, 9, SOLICITED);
    const before = net.visited.value;
    expect(net.find(9999)).toBeNull();
    expect(net.visited.value - before).toBeLessThan(128 + 16);
  });

  test('hurries where there are very many, but not one after the other', () => {
    const net = bootNeighbours({ collectFrom: 10, hurryFrom: 100, limit: 1000, base_reachable_time_ms: 1000 });
    for (let last = 0; last < 99; last++) answer(net, last);
    net.kernel.advance(7000);
    for (let last = 100; last < 110; last++) net.find(last);
    net.kernel.advance(100);
    // Down to where it need not hurry any more.
    expect(lasts(net).length).toBe(100);
    const { value } = net.visited;
    net.find(200);
    net.kernel.advance(100);
    expect(net.visited.value).toBe(value);
  });
});

test('whatever comes: bounded, gateways and who was set by hand stay, and nothing is left at the end', () => {
  const step = fc.record({
    what: fc.constantFrom('find', 'send', 'ask', 'answer', 'pass', 'hand', 'gateway', 'remove'),
    last: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const net = bootNeighbours({ collectFrom: 2, hurryFrom: 6, limit: 16, waitingPackets: 8, unres_qlen: 3 });
      const [byHand, gateways] = [new Set<number>(), new Set<number>()];
      for (const { what, last } of steps) {
        const address = [0, 0, 0xffff, last] as const;
        if (what === 'find') net.find(last);
        else if (what === 'ask') net.learn(last, 9, CREATE | OVERRIDE);
        else if (what === 'answer') net.learn(last, 9, SOLICITED);
        else if (what === 'pass') net.kernel.advance(last * 200);
        else if (what === 'send') {
          const neighbour = net.find(last);
          neighbour?.output(neighbour, net.kernel.packet(1));
        } else if (what === 'hand' && byHand.size < 4 && net.find(last) !== null) {
          net.core.set(net.device, FAMILY, address, Uint8Array.of(2, 0, 0, 0, 0, 1));
          byHand.add(last);
        } else if (what === 'gateway' && gateways.size < 4) {
          net.core.hopBegins(net.device, FAMILY, address);
          if (net.find(last) !== null) gateways.add(last);
        } else if (what === 'remove' && lasts(net).includes(last) && !gateways.has(last)) {
          net.core.remove(net.device, FAMILY, address);
          byHand.delete(last);
        }
        const all = net.core.entries(FAMILY);
        expect(all.length).toBeLessThanOrEqual(16);
        expect(all.reduce((sum, { queue }) => sum + queue.lenPackets, 0)).toBeLessThanOrEqual(8 + 3 * gateways.size);
        for (const each of [...byHand, ...gateways]) expect(lasts(net)).toContain(each);
        for (const { state, line } of all) if (state === REACHABLE || state === PERMANENT) expect(line).toBeNull();
      }
      net.core.close();
      expect([net.kernel.pool.idle, net.objects.count]).toEqual([true, 0]);
    }),
    { numRuns: 150 },
  );
});
