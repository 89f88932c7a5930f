import { makePool } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Flight } from './flight.ts';

test('frames arrive by time, and in order where times are equal, however many fly', () => {
  const pool = makePool({ buffers: 300, pages: 1 });
  const step = fc.oneof(fc.record({ atUs: fc.integer({ min: 0, max: 50 }) }), fc.record({ nowUs: fc.integer({ min: 0, max: 60 }) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const flight = new Flight();
      const model: { atUs: number; id: number }[] = [];
      let ids = 0;
      for (const each of steps) {
        if ('atUs' in each) {
          const skb = pool.alloc(0, 10)!;
          skb.mark = ++ids;
          flight.insert(skb, each.atUs);
          const behind = model.findIndex(({ atUs }) => atUs > each.atUs);
          model.splice(behind < 0 ? model.length : behind, 0, { atUs: each.atUs, id: ids });
        } else {
          const expected = model[0] !== undefined && model[0].atUs <= each.nowUs ? model.shift()! : null;
          const skb = flight.take(each.nowUs);
          expect(skb?.mark ?? null).toBe(expected?.id ?? null);
          if (skb !== null) pool.release(skb);
        }
        expect(flight.count).toBe(model.length);
        expect(flight.nextUs).toBe(model[0]?.atUs ?? Number.POSITIVE_INFINITY);
      }
      for (let skb = flight.take(100); skb !== null; skb = flight.take(100)) pool.release(skb);
      expect(pool.skbsOut).toBe(0);
    }),
  );
});
