import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { AcceptQueue } from './accept-queue.ts';

test('first come, first served; beside an array', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (pushes) => {
      const queue = new AcceptQueue();
      const model: Connection[] = [];
      for (const [i, isPush] of pushes.entries()) {
        const conn = { i } as unknown as Connection;
        if (isPush || i % 3 === 0) {
          queue.push(conn);
          model.push(conn);
        } else expect(queue.shift()).toBe(model.shift() ?? null);
        expect(queue.count).toBe(model.length);
      }
      expect([...queue]).toEqual(model);
    }),
  );
});
