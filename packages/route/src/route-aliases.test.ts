import { describe, expect, test, vi } from 'vitest';
import { RouteAlias } from './route-alias.ts';
import { RouteAliases } from './route-aliases.ts';
import type { RouteInfo } from './route-info.ts';
import { RouteTable } from './route-table.ts';
import { bootRouter } from './testing/fake-router.ts';

const infos = [1, 2, 3, 4].map((serial) => ({ serial }) as unknown as RouteInfo);

/** Routes of one prefix by these infos, in order. */
function chain(...numbers: readonly number[]): RouteAlias | null {
  return numbers.reduceRight<RouteAlias | null>((next, number) => new RouteAlias(infos[number]!, { tos: 0, priority: 0 }, next), null);
}

describe('a table that is full', () => {
  test('refuses one more way, and has as many as before', () => {
    const aliases = new RouteAliases(3);
    const first = aliases.take(chain(0, 1)!);
    expect(() => aliases.take(chain(2, 3)!)).toThrow('ENOBUFS: a table has at most 3 ways to treat a prefix');
    expect(aliases.count, 'what came behind has gone again').toBe(2);
    expect(() => aliases.take(chain(2, 0, 1)!)).not.toThrow();
    expect(() => aliases.take(chain(3, 1)!)).toThrow('ENOBUFS');
    expect(aliases.take(chain(0, 1)!), 'one that is there may have more users').toBe(first);
    expect([aliases.count, first.users]).toEqual([3, 3]);
  });

  test('leaves nothing of the route that was refused', () => {
    const { store, router, add } = bootRouter();
    const put = vi.spyOn(RouteTable.prototype, 'put').mockImplementationOnce(() => {
      throw new Error('full');
    });
    expect(() => add('10.0.0.0/8 dev eth0')).toThrow('full');
    put.mockRestore();
    expect([store.entries(2), router.hops.count]).toEqual([[], 0]);
  });
});
