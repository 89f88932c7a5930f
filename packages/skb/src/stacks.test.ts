import { expect, it, vi } from 'vitest';

// Before anything is imported.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: 'stacks' });
});

import { makePool } from './make-pool.ts';

it('keeps where a packet was freed, for the message of who frees it again', () => {
  const pool = makePool();
  const skb = pool.alloc(0, 1)!;
  const freedHere = (): void => pool.release(skb);
  freedHere();
  expect(() => pool.release(skb)).toThrow(/freed twice \(the first time: by who never claimed it, .*\n(.*\n)* +at freedHere/);
});
