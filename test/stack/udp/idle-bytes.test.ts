import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, SOCK_TYPE, Sockets } from '@softnet/contract';
import { expect, test } from 'vitest';
import { address, CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

/** Row I1's goal. */
const GOAL_BYTES = 400;
const FEW = 4000;
const MOST = 32_000;
/** Each has a port of its own. */
const MOST_BOUND = 24_000;

test('an idle UDP socket is small: made, and bound', async () => {
  const host = await realHost();
  const { kernel } = host;
  const owner = { name: 'many' };
  const places = new Array<SockCommon | null>(MOST).fill(null);
  let count = 0;
  const open = (): void => {
    places[count++] = kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM, 0, owner);
  };
  const bind = (): void => {
    const sock = places[count - 1]!;
    if (sock.ops.calls!.bind(sock, address(`127.0.0.1:${1024 + count}`)) !== 0) throw new Error('not bound');
  };
  const closeAll = (): void => {
    for (; count > 0; places[count] = null) {
      const sock = places[--count]!;
      sock.ops.calls!.close(sock);
    }
  };
  const used = (): number => {
    for (let i = 0; i < 3; i++) globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  /** What closing so many gives back: the median of rounds. */
  const bytesOf = (many: number, steps: readonly (() => void)[]): number => {
    const rounds = [0, 1, 2].map(() => {
      for (let i = 0; i < many; i++) for (const step of steps) step();
      const full = used();
      closeAll();
      return full - used();
    });
    return rounds.sort((one, other) => one - other)[1]!;
  };
  /** Of one more: what is there however many they are counts for none. */
  const bytesEach = (many: number, ...steps: readonly (() => void)[]): number =>
    (bytesOf(many, steps) - bytesOf(FEW, steps)) / (many - FEW);
  const made = bytesEach(MOST, open);
  const bound = bytesEach(MOST_BOUND, open, bind);
  console.log(`an idle UDP socket: ${made.toFixed(0)} bytes; bound, with what the tables have of it: ${bound.toFixed(0)}`);
  // It was really there.
  expect(made).toBeGreaterThan(300);
  expect(made).toBeLessThanOrEqual(GOAL_BYTES);
  expect(bound).toBeLessThanOrEqual(GOAL_BYTES);
  expect(await host.end()).toEqual(CLEAN);
});
