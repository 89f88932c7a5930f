import type { AddressWords } from '@softnet/contract';
import { GROUP_FILTER } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { GroupAnswer } from './group-answer.ts';
import type { GroupRecord } from './group-changes.ts';
import { GROUP_RECORD, GroupChanges } from './group-changes.ts';
import type { SourceFilter } from './group-filter.ts';
import { sourceList } from './source-list.ts';

const NAMES = Object.entries(GROUP_RECORD);
const word = (n: number): AddressWords => [0, 0, 0xffff, n];
const include = (...sources: number[]): SourceFilter => ({ filter: GROUP_FILTER.INCLUDE, sources: sourceList(sources.map(word)) });
const exclude = (...sources: number[]): SourceFilter => ({ filter: GROUP_FILTER.EXCLUDE, sources: sourceList(sources.map(word)) });
const say = ({ type, sources }: GroupRecord): string =>
  `${NAMES.find(([, number]) => number === type)![0]} ${sources.map(([, , , n]) => n).join()}`.trim();

/** All that is said of changes, report by report: each is noted, and said so often before the next. */
function said(robustness: number, filters: readonly SourceFilter[], between = 1): string[] {
  const changes = new GroupChanges();
  const reports: string[] = [];
  let before = include();
  for (const now of filters) {
    changes.note(before, now, robustness);
    for (let i = 0; i < between && changes.pending; i++) reports.push(changes.take(now).map(say).join(' + '));
    before = now;
  }
  while (changes.pending) reports.push(changes.take(before).map(say).join(' + '));
  return reports;
}

// RFC 3376 §5.1: the table of records by old and new state, and how they are merged with what is still to be said.
describe('what is said of changes', () => {
  test.each<[string, readonly SourceFilter[], readonly string[]]>([
    ['join of all', [exclude()], ['TO_EXCLUDE', 'TO_EXCLUDE']],
    ['join of some', [include(1, 2)], ['ALLOW 1,2', 'ALLOW 1,2']],
    ['more and fewer', [include(1, 2), include(2, 3)], ['ALLOW 1,2', 'ALLOW 2,3 + BLOCK 1', 'ALLOW 3 + BLOCK 1']],
    ['less and less of all', [exclude(), exclude(4)], ['TO_EXCLUDE', 'TO_EXCLUDE 4', 'BLOCK 4']],
    ['leave of all', [exclude(), include()], ['TO_EXCLUDE', 'TO_INCLUDE', 'TO_INCLUDE']],
    ['leave of some', [include(1), include()], ['ALLOW 1', 'BLOCK 1', 'BLOCK 1']],
    ['some, then all but one', [include(1), exclude(5)], ['ALLOW 1', 'TO_EXCLUDE 5', 'TO_EXCLUDE 5']],
    ['all, then some', [exclude(5), include(6)], ['TO_EXCLUDE 5', 'TO_INCLUDE 6', 'TO_INCLUDE 6']],
  ])('%s', (_, filters, reports) => {
    expect(said(2, filters)).toEqual(reports);
  });

  test('as often as robustness says, after the last change', () => {
    expect(said(4, [exclude()])).toHaveLength(4);
    expect(said(4, [exclude(), include()])).toEqual(['TO_EXCLUDE', ...Array<string>(4).fill('TO_INCLUDE')]);
  });

  test('what comes and goes before it is said, is said as it is then', () => {
    expect(said(2, [include(1), include()], 0)).toEqual(['BLOCK 1', 'BLOCK 1']);
  });
});

// RFC 3376 §5.2: the table of answers by state and question.
describe('what is answered', () => {
  test.each<[string, SourceFilter, readonly (readonly number[])[], string | null]>([
    ['the group', include(1, 2), [[]], 'IS_INCLUDE 1,2'],
    ['the group', exclude(1), [[]], 'IS_EXCLUDE 1'],
    ['a group that was left', include(), [[]], null],
    ['sources, of which some are wanted', include(1, 2), [[2, 3]], 'IS_INCLUDE 2'],
    ['sources that nobody wants', include(1), [[3]], null],
    ['sources, of which some are not excluded', exclude(1), [[1, 3]], 'IS_INCLUDE 3'],
    ['sources that are excluded', exclude(1), [[1]], null],
    ['sources twice', include(1, 2, 3), [[1], [2]], 'IS_INCLUDE 1,2'],
    ['sources, then the group', include(1, 2, 3), [[1], []], 'IS_INCLUDE 1,2,3'],
    ['the group, then sources', include(1, 2, 3), [[], [1]], 'IS_INCLUDE 1,2,3'],
    [
      'too many sources',
      include(1, 9),
      [
        [1, 2],
        [3, 4, 5],
      ],
      'IS_INCLUDE 1,9',
    ],
  ])('to who asks for %s', (_, state, questions, answer) => {
    const pending = new GroupAnswer();
    for (const [i, question] of questions.entries()) pending.ask(1000 - i, sourceList(question.map(word)), 4);
    expect(pending.dueUs).toBe(1001 - questions.length);
    const record = pending.take(state);
    expect(record === null ? null : say(record)).toBe(answer);
    expect(pending.pending).toBe(false);
  });
});
