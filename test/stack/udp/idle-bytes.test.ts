import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, SOCK_TYPE, Sockets } from '@softnet/contract';
import { expect, test } from 'vitest';
import { address, CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

/** Row I1's goal. */
const GOAL_BYTES = 400;
/** What holding its layer costs a bound one: a `DstUse`. */
const HOLD_BYTES = 128;
/** What the flow and port tables have for each: cells of arrays, which double. */
const TABLE_BYTES = 140;
const MANY = 20_000;

test('an idle UDP socket is small: made, and bound', async () => {
  const host = await realHost();
  const { kernel } = host;
  const owner = { name: 'many' };
  const sockets: (SockCommon | null)[] = new Array(MANY).fill(null);
  const open = (): void => {
    for (let i = 0; i < MANY; i++) sockets[i] = kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM, 0, owner);
  };
  const close = (): void => {
    for (const [i, sock] of sockets.entries()) {
      if (sock !== null) sock.ops.calls!.close(sock);
      sockets[i] = null;
    }
  };
  const used = (): number => {
    for (let i = 0; i < 3; i++) globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  const bind = (): void => {
    for (const sock of sockets) if (sock!.ops.calls!.bind(sock!, address('127.0.0.1:0')) !== 0) throw new Error('not bound');
  };
  /** What closing them gives back, each: the median of rounds. */
  const bytesOf = (...steps: (() => void)[]): number => {
    const rounds = [0, 1, 2].map(() => {
      for (const step of steps) step();
      const full = used();
      close();
      return (full - used()) / MANY;
    });
    return rounds.sort((one, other) => one - other)[1]!;
  };
  bytesOf(open, bind);
  const made = bytesOf(open);
  const bound = bytesOf(open, bind);
  console.log(`an idle UDP socket: ${made.toFixed(0)} bytes; bound, with what the tables have of it: ${bound.toFixed(0)}`);
  // It was really there.
  expect(made).toBeGreaterThan(300);
  expect(made).toBeLessThanOrEqual(GOAL_BYTES);
  expect(bound).toBeLessThanOrEqual(GOAL_BYTES + HOLD_BYTES + TABLE_BYTES);
  expect(await host.end()).toEqual(CLEAN);
});
