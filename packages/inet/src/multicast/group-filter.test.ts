import type { AddressWords } from '@softnet/contract';
import { GROUP_FILTER } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SourceFilter } from './group-filter.ts';
import { GroupFilter, isNothing } from './group-filter.ts';
import { sourceList } from './source-list.ts';

const { INCLUDE, EXCLUDE } = GROUP_FILTER;
const S: readonly AddressWords[] = [1, -2, 3, 4, 5].map((word) => [0, 0, 0xffff, word] as const);

/** RFC 3376 §3.2, word for word, over all that could send. */
function model(members: readonly SourceFilter[]): { filter: number; sources: readonly AddressWords[] } {
  const excluding = members.filter(({ filter }) => filter === EXCLUDE);
  const included = members.filter(({ filter }) => filter === INCLUDE).flatMap(({ sources }) => sources);
  if (excluding.length === 0) return { filter: INCLUDE, sources: S.filter((source) => included.includes(source)) };
  const intersection = S.filter((source) => excluding.every(({ sources }) => sources.includes(source)));
  return { filter: EXCLUDE, sources: intersection.filter((source) => !included.includes(source)) };
}

const member = fc.record({
  filter: fc.constantFrom<number>(INCLUDE, EXCLUDE),
  sources: fc.subarray([...S]).map((sources) => sourceList(sources)),
});

test('members who come, go and change are merged as RFC 3376 §3.2 says, and nobody leaves anything behind', () => {
  const move = fc.record({ at: fc.nat(7), member, sort: fc.constantFrom('add', 'remove', 'replace') });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const merged = new GroupFilter();
      const members: SourceFilter[] = [];
      for (const { at, member: now, sort } of moves) {
        const before = members[at % (members.length || 1)];
        if (sort === 'add') merged.add(members[members.push(now) - 1]!);
        else if (before === undefined) continue;
        else if (sort === 'remove') merged.remove(members.splice(members.indexOf(before), 1)[0]!);
        else {
          merged.replace(before, now);
          members[members.indexOf(before)] = now;
        }
        const expected = model(members);
        expect(merged.users).toBe(members.length);
        expect(merged.merged).toEqual({ filter: expected.filter, sources: sourceList(expected.sources) });
      }
      for (const each of members) merged.remove(each);
      expect([merged.users, isNothing(merged.merged)]).toEqual([0, true]);
    }),
    { numRuns: 300 },
  );
});

test('where nothing has changed, the same object says so', () => {
  const merged = new GroupFilter();
  const all = { filter: EXCLUDE, sources: [] };
  merged.add(all);
  const { merged: before } = merged;
  merged.add(all);
  merged.add({ filter: INCLUDE, sources: [S[0]!] });
  expect(merged.merged).toBe(before);
});
