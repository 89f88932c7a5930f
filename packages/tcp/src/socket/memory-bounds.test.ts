import { MEMORY_PRESSURE, SockCommon } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Connection, extraOf } from '../machine/connection.ts';
import { MemoryBounds } from './memory-bounds.ts';
import type { SocketSettings } from './settings.ts';

const FIRST = 1000;
const ROOM = 160_000;
/** Three quarters of it. */
const SHARED = 120_000;

function stand() {
  const account = { bytes: 0 };
  const memory = { pressure: MEMORY_PRESSURE.NONE as number, roomBytes: () => ROOM };
  const settings = { rmem: [100, FIRST, 1e9], wmem: [100, 500, 1e9], mem: [1, 2, 3] } as unknown as SocketSettings;
  const accounts = { current: { pressure: () => memory.pressure, roomBytes: memory.roomBytes } };
  return { account, memory, bounds: new MemoryBounds(accounts as never, account as never, settings) };
}

function connection(): Connection {
  const conn = new Connection(new SockCommon(null as never));
  extraOf(conn);
  return conn;
}

test('n that ask again and again have 1/(n+1) each of what is shared, and who leaves gives his part back', () => {
  const { bounds } = stand();
  const all = [connection(), connection(), connection()];
  for (let count = 1; count <= 3; count++) {
    const some = all.slice(0, count);
    let shares: number[] = [];
    for (let i = 0; i < 60; i++) shares = some.map((conn) => bounds.receiveShare(conn, 1e9, 0) - FIRST);
    for (const share of shares) expect(Math.abs(share - SHARED / (count + 1))).toBeLessThanOrEqual(count + 1);
  }
  bounds.leave(all[0]!);
  bounds.leave(all[0]!);
  bounds.leave(all[1]!);
  expect(bounds.receiveShare(all[2]!, 1e9, 0)).toBe(FIRST + SHARED / 2);
});

test('what was promised is kept; what is not wanted is not had; who comes from another generation brings his part', () => {
  const { bounds } = stand();
  const [one, other] = [connection(), connection()];
  expect(bounds.receiveShare(one, FIRST + 10, 0)).toBe(FIRST + 10);
  expect(bounds.receiveShare(one, 1e9, FIRST + SHARED)).toBe(FIRST + SHARED);
  expect(bounds.receiveShare(other, 1e9, 0)).toBe(FIRST);
  const next = stand().bounds;
  next.adopt(one);
  expect(next.receiveShare(other, 1e9, 0)).toBe(FIRST);
  next.leave(one);
  expect(next.receiveShare(other, 1e9, 0)).toBe(FIRST + SHARED / 2);
});

test('short: above the second number of tcp_mem until below the first, or under pressure; full: above the third', () => {
  const { account, memory, bounds } = stand();
  const seen = [2, 3, 2, 1, 2, 4].map((pages) => {
    account.bytes = pages * 4096;
    return [bounds.isShort, bounds.isFull];
  });
  expect(seen).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [false, false],
    [false, false],
    [true, true],
  ]);
  account.bytes = 0;
  expect(bounds.isShort).toBe(false);
  memory.pressure = MEMORY_PRESSURE.LOW;
  expect(bounds.isShort).toBe(true);
  expect(bounds.mostSendBytes).toBe(ROOM / 4);
});
