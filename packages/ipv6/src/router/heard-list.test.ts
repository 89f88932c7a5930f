import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeardList } from './heard-list.ts';

const LIMIT = 3;

test('is a bounded map with lifetimes: in a full one, what goes first makes room (RFC 8106 §6.1)', () => {
  const step = fc.tuple(fc.nat(5), fc.nat(20), fc.nat(3));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const list = new HeardList<number>(LIMIT, (a, b) => a === b);
      const model = new Map<number, number>();
      let nowMs = 0;
      for (const [value, lifeMs, passMs] of steps) {
        nowMs += passMs;
        list.expire(nowMs);
        for (const [known, untilMs] of model) if (untilMs <= nowMs) model.delete(known);
        list.hear(value, nowMs + lifeMs, nowMs);
        const first = [...model].sort((a, b) => a[1] - b[1])[0];
        if (lifeMs === 0) model.delete(value);
        else if (model.has(value) || model.size < LIMIT) model.set(value, nowMs + lifeMs);
        else if (nowMs + lifeMs > first![1]) {
          // Of several that go at once, the one that came first.
          model.delete([...model].find(([, untilMs]) => untilMs === first![1])![0]);
          model.set(value, nowMs + lifeMs);
        }
        expect(list.items.map(({ value: each, untilMs }) => [each, untilMs])).toEqual([...model]);
        expect(list.nextMs).toBe(Math.min(...model.values()));
      }
    }),
  );
});

test('says whether it has changed', () => {
  const list = new HeardList<string>(2, (a, b) => a === b);
  expect([list.hear('a', 5, 0), list.hear('a', 5, 0), list.hear('a', 6, 0), list.expire(5), list.expire(6), list.clear()]).toEqual([
    ...[true, false, true, false, true, false],
  ]);
});
