import { ADDRESS_FAMILY, NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, SkbPools } from '@softnet/contract';
import { expect, test } from 'vitest';
import { bootRoute, CLEAN, flowTo, sendTo } from './route-host.ts';

const { INET } = ADDRESS_FAMILY;
const NET = 10 << 24;
const GATEWAY = NET | 9;
/** Hosts that are there: 10.0.1.0 and up. */
const REAL = NET | 256;
const USERS = 40;
const ROUNDS = 1500;
const ROUND_US = 40_000;
/** Packets to strangers, and requests from strangers, in a round: a million in all. */
const STRANGERS = 333;

const isReal = (address3: number): boolean => address3 === GATEWAY || (address3 >= REAL && address3 < REAL + USERS);

/** Numbers below a bound, by a linear congruence. */
function chance(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % bound;
  };
}

test('a million strangers in a minute, both ways: neighbours are as many as may be, users are served, the gateway stays', async () => {
  const draw = chance(20_261_130);
  const { add, route, table, kernel, net, world, neighbours, counter, end } = await bootRoute();
  net.isThere = isReal;
  add('10.0.0.0/8 dev eth0');
  add('192.168.0.0/16 via 10.0.0.9 dev eth0');
  const device = net.device.get('eth0')!;
  table().set(device, INET, [0, 0, 0xffff, NET | 5], Uint8Array.of(2, 0, 0, 0, 0, 5));
  sendTo(kernel, route().lookup(flowTo((192 << 24) | (168 << 16))), 1);
  const dst = route().lookup(flowTo(REAL));
  const pools = kernel.port(SkbPools).current;
  const current = neighbours();
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 66);
  const stranger = (): number => NET | (1 << 23) | draw(1 << 23);
  let [mostVisited, mostOut, sent, known, visitedBefore] = [0, 0, 0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < STRANGERS; i++) {
      sendTo(kernel, dst, stranger());
      current.learn(device, INET, 0, 0, 0xffff, stranger(), mac, 0, NEIGHBOUR_UPDATE.CREATE | NEIGHBOUR_UPDATE.OVERRIDE);
    }
    // Users come one after the other, and each says something now and then.
    known = Math.min(USERS, 1 + Math.floor(round / 20));
    if (round % 20 === 0 || draw(4) === 0) {
      sendTo(kernel, dst, REAL + (round % 20 === 0 ? known - 1 : draw(known)));
      sent++;
    }
    mostOut = Math.max(mostOut, pools.usage()[0]!.skbsOut);
    await world.advance(ROUND_US);
    const visited = counter('neighbours-visited');
    mostVisited = Math.max(mostVisited, visited - visitedBefore);
    visitedBefore = visited;
  }
  await world.advance(1_000_000);
  const all = neighbours().entries(INET);
  expect(all.length).toBeLessThanOrEqual(1024);
  // One for each newcomer, and a few slices of sweeps.
  expect(mostVisited).toBeLessThanOrEqual(2 * STRANGERS + 5 * 160);
  // The packets that wait: at most one for each neighbour.
  expect(mostOut).toBeLessThanOrEqual(1100);
  expect(all.filter(({ address3 }) => address3 === GATEWAY || address3 === (NET | 5)).map(({ state }) => state)).toEqual(
    expect.arrayContaining([NEIGHBOUR_STATE.STALE, NEIGHBOUR_STATE.PERMANENT]),
  );
  const served = net.sent.filter(({ number }) => number >= REAL && number < REAL + USERS);
  expect([served.length, known]).toEqual([sent, USERS]);
  expect(await end()).toEqual(CLEAN);
}, 60_000);
