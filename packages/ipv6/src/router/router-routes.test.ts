import type { AddressWords, DeviceOps, LinkLayer, RouteEntry } from '@softnet/contract';
import { NetDevice, NetError } from '@softnet/contract';
import { expect, test } from 'vitest';
import { RouterRoutes } from './router-routes.ts';

const device = Object.assign(new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer), { ifindex: 3 });
const router = (number: number): AddressWords => [0xfe800000 | 0, 0, 0, number];
const ALL: AddressWords = [0, 0, 0, 0];
const FOREVER = Number.POSITIVE_INFINITY;

function setup() {
  const said: string[] = [];
  const text = ({ prefixLen, nextHops, priority, preference, expiresMs }: RouteEntry): string =>
    `/${prefixLen} by ${nextHops[0]!.gateway!.address[3]} ${priority} ${preference} ${expiresMs ?? ''}`.trim();
  const routes = new RouterRoutes(device, {
    replace: (entry) => void said.push(`+ ${text(entry)}`),
    remove: (entry) => void said.push(`- ${text(entry)}`),
  });
  const hear = (number: number, untilMs: number, nowMs = 0, { preference = 0, metric = 1024, prefixLen = 0 } = {}): boolean =>
    routes.hear(
      { prefix: prefixLen === 0 ? ALL : [0x20010db8, number, 0, 0], prefixLen, router: router(number), preference, metric, untilMs },
      nowMs,
    );
  return { routes, hear, said, take: () => said.splice(0) };
}

test('a router comes, is heard again, says something else, and goes', () => {
  const { hear, take, routes } = setup();
  hear(1, 5000);
  hear(1, 5500);
  hear(1, 9000, 100);
  hear(1, 9000, 100, { preference: 1 });
  hear(1, 9000, 100, { preference: 1, metric: 7 });
  hear(1, 100, 100);
  hear(1, 100, 100);
  expect(take()).toEqual([
    ...[
      '+ /0 by 1 1024 0 5000',
      '+ /0 by 1 1024 0 9000',
      '+ /0 by 1 1024 1 9000',
      '- /0 by 1 1024 1',
      '+ /0 by 1 7 1 9000',
      '- /0 by 1 7 1',
    ],
  ]);
  expect(routes.items).toEqual([]);
});

test('one that is heard again keeps its place among its equals', () => {
  const { hear, take } = setup();
  hear(1, 5000);
  hear(2, 5000);
  take();
  hear(1, 8000);
  expect(take()).toEqual(['+ /0 by 1 1024 0 8000', '+ /0 by 2 1024 0 5000']);
});

test('one that is silent goes behind those that answer, and the last that failed behind all', () => {
  const { hear, routes, take } = setup();
  for (const each of [1, 2, 3]) hear(each, FOREVER, 0, { preference: each === 1 ? 1 : 0 });
  const order = (): number[][] => routes.items.map(({ router: words, rank }) => [words[3], rank]);
  routes.rank(router(1), true, 0);
  routes.rank(router(2), true, 0);
  expect(order()).toEqual([
    [1, 1],
    [2, 2],
    [3, 0],
  ]);
  routes.rank(router(1), true, 0);
  expect(order()).toEqual([
    [1, 2],
    [2, 1],
    [3, 0],
  ]);
  routes.rank(router(2), false, 0);
  expect(order()).toEqual([
    [1, 1],
    [2, 0],
    [3, 0],
  ]);
  hear(1, 70_000, 0, { preference: 1 });
  take();
  hear(1, 0, 0);
  expect(take()).toEqual(['- /0 by 1 1025 1']);
});

test('no more than 16 routers and 64 other routes of a link count', () => {
  const { hear, routes } = setup();
  for (let i = 1; i <= 100; i++) {
    hear(i, 5000);
    hear(i, 5000, 0, { prefixLen: 48 });
  }
  expect([routes.items.length, routes.refused, routes.routers.length]).toEqual([80, 120, 64]);
});

test('what lives longer than tables can count is told to them again in time', () => {
  const { hear, routes, take } = setup();
  hear(1, FOREVER);
  expect(take()).toEqual([`+ /0 by 1 1024 0 ${0x3fffffff}`]);
  const nextMs = routes.nextMs;
  expect(nextMs).toBeLessThan(0x3fffffff);
  routes.expire(nextMs);
  expect(take()).toHaveLength(1);
  hear(2, nextMs + 10, nextMs);
  routes.expire(nextMs + 10);
  expect(take().at(-1)).toMatch(/^- \/0 by 2/);
  routes.clear();
  expect([routes.items.length, routes.nextMs > nextMs]).toEqual([0, true]);
});

test('who is no router any more leads nowhere; what tables refuse is no matter', () => {
  const { hear, routes, take } = setup();
  hear(1, 5000);
  hear(1, 5000, 0, { prefixLen: 48 });
  take();
  routes.dropRouter(router(1));
  expect(take()).toHaveLength(2);
  const refusing = (): never => {
    throw new NetError('ENETUNREACH', 'no');
  };
  const other = new RouterRoutes(device, { replace: refusing, remove: refusing });
  expect(other.hear({ prefix: ALL, prefixLen: 0, router: router(1), preference: 0, metric: 1, untilMs: 9 }, 0)).toBe(true);
});
