import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawPeer } from '../raw-peer.ts';
import { EXTENSION_ROWS } from './extension-rows.ts';
import { FRAGMENT_ROWS, WAITING_ROWS } from './fragment-rows.ts';
import { HEADER_ROWS, ROUTER_ROWS } from './header-rows.ts';
import { MESSAGE_ROWS } from './message-rows.ts';
import type { Row } from './row.ts';
import { bytesOf, echo, sends } from './row.ts';

const ROWS: readonly Row[] = [...HEADER_ROWS, ...ROUTER_ROWS, ...EXTENSION_ROWS, ...FRAGMENT_ROWS, ...MESSAGE_ROWS];

let peer: RawPeer;
beforeAll(async () => {
  peer = await RawPeer.boot();
  peer.host.kernel.sysctl.set('net.ipv6.icmp.ratelimit', 0);
  peer.host.kernel.sysctl.set('net.ipv6.icmp.msgs_burst', 1_000_000);
});
afterAll(() => peer.end());

async function outcome({ send, router, settings = {} }: Row, ms: number): Promise<{ drops: string[]; answers: string[] }> {
  const { sysctl } = peer.host.kernel;
  const before = Object.keys(settings).map((name) => [name, sysctl.get(name)] as const);
  for (const [name, value] of Object.entries(settings)) sysctl.set(name, value);
  if (router) sysctl.set('net.ipv6.conf.all.forwarding', true);
  await peer.net.pass(1);
  peer.received.length = 0;
  peer.drops();
  send(peer);
  const answers = await peer.messages(ms);
  const drops = peer.drops();
  if (router) sysctl.set('net.ipv6.conf.all.forwarding', false);
  for (const [name, value] of before) sysctl.set(name, value);
  return { drops, answers };
}

test('the table has 150 rows and more, each with the section that decides it, no two the same', () => {
  expect(ROWS.length + WAITING_ROWS.length).toBeGreaterThanOrEqual(150);
  for (const { rfc } of ROWS) expect(rfc).toMatch(/^\d{3,4} §\d+/);
  expect(new Set(ROWS.map(({ rfc, what }) => `${rfc} ${what}`)).size).toBe(ROWS.length);
});

test.each(ROWS.map((row) => [`RFC ${row.rfc}`, row.what, row] as const))('%s: %s', async (_rfc, _what, row) => {
  expect(await outcome(row, 3)).toEqual({ drops: row.drops, answers: row.answers });
});

test.each(WAITING_ROWS.map((row) => [`RFC ${row.rfc}`, row.what, row] as const))(
  '%s: fragments that do not come: %s',
  async (_rfc, _what, row) => {
    // What other rows left has gone.
    await peer.net.pass(61_000);
    await peer.introduce();
    peer.drops();
    row.send(peer);
    await peer.net.pass(59_000);
    await peer.introduce();
    const answers = await peer.messages(2000);
    expect([peer.drops(), answers.filter((each) => !each.startsWith('13'))]).toEqual([row.drops, row.answers]);
  },
);

describe('headers in every order', () => {
  const kinds = [
    [60, '010400000000'],
    [43, '000000000000'],
    [44, '000000000001'],
  ] as const;
  const orders = [0, 1, 2, 3, 4].flatMap((count) =>
    Array.from({ length: 3 ** count }, (_, i) => [...i.toString(3).padStart(count, '0')].slice(0, count).map(Number)),
  );

  test.each([false, true])('up to four of three kinds, behind hop-by-hop options: %s', async (hop) => {
    for (const order of orders) {
      const numbers = [...(hop ? [0] : []), ...order.map((kind) => kinds[kind]![0]), 58];
      const rests = [...(hop ? ['010400000000'] : []), ...order.map((kind) => kinds[kind]![1])];
      const headers = rests.map((rest, i) => bytesOf(Uint8Array.of(numbers[i + 1]!, 0), rest));
      const row = { send: sends(numbers[0]!, bytesOf(...headers, echo())) } as unknown as Row;
      expect([order, await outcome(row, 2)]).toEqual([order, { drops: [], answers: ['129'] }]);
    }
  });
});
