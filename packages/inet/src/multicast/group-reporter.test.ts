import type { AddressWords } from '@softnet/contract';
import { GROUP_FILTER } from '@softnet/contract';
import { formatIpv4, ipv4Words, parseIpv4 } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { GROUP_RECORD } from './group-changes.ts';
import type { SourceFilter } from './group-filter.ts';
import type { HeardQuery } from './group-reporter.ts';
import { GroupReporter } from './group-reporter.ts';
import { sourceList } from './source-list.ts';

const address = (text: string): AddressWords => ipv4Words(parseIpv4(text)!);
const G1 = address('239.1.1.1');
const G2 = address('239.1.1.2');
const list = (sources: readonly string[]): readonly AddressWords[] => sourceList(sources.map(address));
const include = (...sources: string[]): SourceFilter => ({ filter: GROUP_FILTER.INCLUDE, sources: list(sources) });
const exclude = (...sources: string[]): SourceFilter => ({ filter: GROUP_FILTER.EXCLUDE, sources: list(sources) });
const S = 1_000_000;
const RECORDS = Object.entries(GROUP_RECORD);

const nameOf = (entries: [string, number][], number: number): string => entries.find(([, each]) => each === number)![0];

type Query = Partial<HeardQuery & { readonly maxResponseDs: number }>;

/** A reporter, its time, and what it has said: '3.5 TO_EXCLUDE 239.1.1.1'. Chance is half of what may be, unless told otherwise. */
class Bench {
  forced = 0;
  robustness = 2;
  nowUs = 0;
  chance: (bound: number) => number = (bound) => Math.floor(bound / 2);
  readonly said: string[] = [];
  readonly machine: GroupReporter;

  constructor(forced = 0) {
    this.forced = forced;
    this.machine = new GroupReporter({
      forcedVersion: () => this.forced,
      robustness: () => this.robustness,
      unsolicitedUs: (version) => (version === 3 ? 1 : 10) * S,
      below: (bound) => this.chance(bound),
      report: (records) => {
        const all = records.map(({ type, group, sources }) =>
          [nameOf(RECORDS, type), formatIpv4(group[3]), ...sources.map(([, , , word]) => formatIpv4(word))].join(' '),
        );
        this.#say(all.join(' + '));
      },
      reportAlone: (version, group) => this.#say(`REPORT_V${version} ${formatIpv4(group[3])}`),
      leave: (group) => this.#say(`LEAVE ${formatIpv4(group[3])}`),
      maxAskedSources: 364,
    });
  }

  change(group: AddressWords, now: SourceFilter): void {
    this.machine.changed(group, now, this.nowUs);
  }

  query({ maxResponseDs = 100, ...query }: Query): void {
    const whole = { version: 3, group: null, robustness: 0, intervalS: 0, sources: [], withinUs: maxResponseDs * 100_000 } as const;
    this.machine.query({ ...whole, ...query }, this.nowUs);
  }

  /** Time passes. @returns what was said meanwhile. */
  pass(seconds: number): string[] {
    const endUs = this.nowUs + seconds * S;
    while (this.machine.nextUs <= endUs) {
      this.nowUs = Math.max(this.nowUs, this.machine.nextUs);
      this.machine.timeout(this.nowUs);
    }
    this.nowUs = endUs;
    return this.said.splice(0);
  }

  #say(what: string): void {
    this.said.push(`${Math.round(this.nowUs / 100_000) / 10} ${what}`);
  }
}

describe('version 3', () => {
  test('a join is said at once, and again within a second; a leave likewise', () => {
    const bench = new Bench();
    bench.change(G1, exclude());
    expect(bench.pass(10)).toEqual(['0 TO_EXCLUDE 239.1.1.1', '0.5 TO_EXCLUDE 239.1.1.1']);
    bench.change(G1, include());
    expect(bench.pass(10)).toEqual(['10 TO_INCLUDE 239.1.1.1', '10.5 TO_INCLUDE 239.1.1.1']);
    expect(bench.machine.nextUs).toBe(Number.POSITIVE_INFINITY);
  });

  test('changes of one moment go in one report', () => {
    const bench = new Bench();
    bench.change(G1, include('10.0.0.1'));
    bench.change(G2, exclude());
    expect(bench.pass(0)).toEqual(['0 ALLOW 239.1.1.1 10.0.0.1 + TO_EXCLUDE 239.1.1.2']);
  });

  test('as often as the querier says (QRV), else as it is set', () => {
    const bench = new Bench();
    bench.robustness = 3;
    bench.change(G1, exclude());
    expect(bench.pass(10)).toHaveLength(3);
    bench.query({ robustness: 5 });
    bench.pass(20);
    bench.change(G2, exclude());
    expect(bench.pass(10)).toHaveLength(5);
  });

  test.each<[string, readonly Query[], readonly string[]]>([
    ['general', [{}], ['15 IS_EXCLUDE 239.1.1.1 + IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2']],
    ['of a group', [{ group: G1, maxResponseDs: 10 }], ['10.5 IS_EXCLUDE 239.1.1.1']],
    ['of a group that nobody is in', [{ group: address('239.9.9.9') }], []],
    [
      'of a group and sources',
      [{ group: G2, maxResponseDs: 10, sources: list(['10.0.0.2', '10.0.0.3']) }],
      ['10.5 IS_INCLUDE 239.1.1.2 10.0.0.2'],
    ],
    ['of sources that nobody wants', [{ group: G2, sources: list(['10.0.0.3']) }], []],
    // Rule 1: a general one is answered sooner.
    [
      'of a group, after a general one',
      [{ maxResponseDs: 10 }, { group: G1 }],
      ['10.5 IS_EXCLUDE 239.1.1.1 + IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2'],
    ],
    [
      'of a group, sooner than a general one',
      [{}, { group: G1, maxResponseDs: 10 }],
      ['10.5 IS_EXCLUDE 239.1.1.1', '15 IS_EXCLUDE 239.1.1.1 + IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2'],
    ],
    // Rule 2: the sooner of two general ones.
    ['general, twice', [{}, { maxResponseDs: 10 }], ['10.5 IS_EXCLUDE 239.1.1.1 + IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2']],
    // Rules 4 and 5.
    [
      'of sources twice',
      [
        { group: G2, sources: list(['10.0.0.1']) },
        { group: G2, maxResponseDs: 20, sources: list(['10.0.0.2']) },
      ],
      ['11 IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2'],
    ],
    ['of sources, then all', [{ group: G2, sources: list(['10.0.0.1']) }, { group: G2 }], ['15 IS_INCLUDE 239.1.1.2 10.0.0.1 10.0.0.2']],
  ])('a query %s', (_, queries, answers) => {
    const bench = new Bench();
    bench.change(G1, exclude());
    bench.change(G2, include('10.0.0.1', '10.0.0.2'));
    bench.pass(10);
    for (const query of queries) bench.query(query);
    expect(bench.pass(60)).toEqual(answers);
  });

  test('answers are spread over the whole time that the querier gives, and are never without delay', () => {
    const bench = new Bench();
    bench.change(G1, exclude());
    bench.pass(10);
    bench.chance = (bound) => bound - 1;
    bench.query({ maxResponseDs: 3174 });
    expect(bench.pass(1000)).toEqual(['327.4 IS_EXCLUDE 239.1.1.1']);
    bench.chance = () => 0;
    bench.query({ maxResponseDs: 0 });
    expect(bench.machine.nextUs).toBe(bench.nowUs + 1);
  });

  test('who asks without end is answered ten times a second', () => {
    const bench = new Bench();
    bench.change(G1, exclude());
    bench.pass(10);
    let answers = 0;
    for (let i = 0; i < 10_000; i++) {
      bench.query(i % 2 === 0 ? { maxResponseDs: 0 } : { group: G1, maxResponseDs: 0, sources: list([`10.0.${i >> 8}.${i & 255}`]) });
      answers += bench.pass(0.0001).length;
    }
    expect(answers).toBeGreaterThan(5);
    expect(answers).toBeLessThanOrEqual(12);
  });

  test('down it is silent; up again all groups are joined anew', () => {
    const bench = new Bench();
    bench.change(G1, exclude());
    bench.machine.down();
    expect(bench.pass(10)).toEqual([]);
    bench.machine.up(bench.nowUs);
    expect(bench.pass(10)).toEqual(['10 TO_EXCLUDE 239.1.1.1', '10.5 TO_EXCLUDE 239.1.1.1']);
  });
});

test('all is said anew where nobody has heard it, and the querier is known still', () => {
  const bench = new Bench();
  bench.query({ version: 2 });
  bench.change(G1, exclude());
  bench.pass(20);
  bench.machine.again(bench.nowUs);
  expect(bench.pass(20)).toEqual(['20 REPORT_V2 239.1.1.1', '25 REPORT_V2 239.1.1.1']);
});

describe('version 2', () => {
  function joined(): Bench {
    const bench = new Bench();
    bench.query({ version: 2, maxResponseDs: 100 });
    bench.change(G1, exclude());
    return bench;
  }

  test('a join is said at once and again; the leave by who was last to report', () => {
    const bench = joined();
    expect(bench.pass(20)).toEqual(['0 REPORT_V2 239.1.1.1', '5 REPORT_V2 239.1.1.1']);
    bench.change(G1, include());
    expect(bench.pass(20)).toEqual(['20 LEAVE 239.1.1.1']);
    expect(bench.pass(20)).toEqual([]);
  });

  test('another one reports: this one is silent, and leaves without a word', () => {
    const bench = joined();
    bench.pass(20);
    bench.query({ version: 2 });
    bench.machine.heard(G1, bench.nowUs);
    expect(bench.pass(20)).toEqual([]);
    bench.change(G1, include());
    expect(bench.pass(20)).toEqual([]);
  });

  test('a query of one group, which does not put off what is due sooner', () => {
    const bench = joined();
    bench.change(G2, include('10.0.0.1'));
    bench.pass(20);
    bench.query({ version: 2, group: G2, maxResponseDs: 10 });
    bench.query({ version: 2, maxResponseDs: 100 });
    expect(bench.pass(20)).toEqual(['20.5 REPORT_V2 239.1.1.2', '25 REPORT_V2 239.1.1.1']);
  });

  test('a change of sources is no matter', () => {
    const bench = joined();
    bench.pass(20);
    bench.change(G1, include('10.0.0.1'));
    expect(bench.pass(20)).toEqual([]);
  });

  test('ends when its querier has been silent (§8.12), and what waits then is not said', () => {
    const bench = joined();
    bench.pass(259);
    expect(bench.machine.version(bench.nowUs)).toBe(2);
    bench.pass(2);
    expect(bench.machine.version(bench.nowUs)).toBe(3);
    bench.change(G2, exclude());
    bench.query({ version: 2 });
    expect(bench.pass(20)).toEqual(['266 REPORT_V2 239.1.1.1', '266 REPORT_V2 239.1.1.2']);
  });
});

describe('version 1', () => {
  test('no leave, and ten seconds to answer in; it goes before version 2', () => {
    const bench = new Bench();
    bench.query({ version: 2 });
    bench.query({ version: 1, maxResponseDs: 0 });
    bench.change(G1, exclude());
    expect(bench.pass(20)).toEqual(['0 REPORT_V1 239.1.1.1', '5 REPORT_V1 239.1.1.1']);
    bench.query({ version: 1, maxResponseDs: 0 });
    expect(bench.pass(20)).toEqual(['25 REPORT_V1 239.1.1.1']);
    bench.change(G1, include());
    expect(bench.pass(20)).toEqual([]);
  });
});

test.each([
  [1, 'REPORT_V1'],
  [2, 'REPORT_V2'],
  [3, 'TO_EXCLUDE'],
])('forced to version %i, whatever the querier speaks', (forced, type) => {
  const bench = new Bench(forced);
  for (const version of [1, 2, 3] as const) bench.query({ version });
  bench.change(G1, exclude());
  expect(bench.pass(0)).toEqual([`0 ${type} 239.1.1.1`]);
});
