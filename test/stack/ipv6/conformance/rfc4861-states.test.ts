import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from './tester.ts';
import { echo, HOST_LINK, na, ns, ra, redirects, send, Tester } from './tester.ts';

// Appendix C of RFC 4861, state by event. The outcome is what a neighbour sees: where packets go at once, and when it is asked.

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
  // The reachable time is longer than a row.
  await tester.run({ steps: [ra({ reachableMs: 3_600_000 })], out: [] });
});
afterAll(() => tester.peer.end());

type State = 'NONE' | 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED';

/** The host sends something to it: of its own, or the answer to an echo. */
function poke(who: string, number = 1): Step {
  return who.startsWith('fe80') ? echo(who, number, HOST_LINK) : send(who, number);
}

/** Steps to a state of a neighbour, whose link address is ..:0a. */
function into(state: State, who: string): Step[] {
  switch (state) {
    case 'NONE':
      return [];
    case 'INCOMPLETE':
      return [poke(who), 5];
    case 'FAILED':
      return [...into('INCOMPLETE', who), 3000];
    case 'REACHABLE':
      return [...into('INCOMPLETE', who), na(who, 'SO', { link: '0a' }), 5];
    case 'STALE':
      return [...into('REACHABLE', who), na(who, '', { link: '0f' }), 5];
    case 'DELAY':
      return [...into('STALE', who), poke(who), 500];
    default:
      return [...into('DELAY', who), 4600];
  }
}

/** What a neighbour is now, as seen from its link: 'STALE @0a'. The packet that asks is sent 5 ms after what it was. */
async function seen(who: string, to = who): Promise<string> {
  await tester.run({ steps: [5], out: [] });
  const all = await tester.run({ steps: [poke(to, 99), 5100], out: [] });
  const out = all.filter((each) => each.split(/[ @]/).some((word) => word === who || word === to));
  const data = out.filter((each) => / (UDP|ECHO) .* 99$/.test(each)).map((each) => /@(\S+)/.exec(each)?.[1]);
  const asked = out.filter((each) => each.includes('NS'));
  const first = Number(asked[0]?.split(' ')[0] ?? Number.POSITIVE_INFINITY);
  if (asked[0]?.includes(' > ff02::1:ff')) return asked.length >= 2 && data.length === 0 && first < 1000 ? 'INCOMPLETE' : 'odd';
  const at = data.length === 1 ? `@${data[0]}` : 'lost';
  if (asked.length === 0) return `REACHABLE ${at}`;
  return `${first < 1000 ? 'PROBE' : first < 5000 ? 'DELAY' : 'STALE'} ${at}`;
}

type Row = readonly [state: State, event: string, make: (who: string) => Step, outcome: string];

const SAME = { link: '0a' };
const OTHER = { link: '0b' };
const NOWHERE = { link: null };
const BEFORE = ['REACHABLE', 'STALE', 'DELAY', 'PROBE'] as const;

/** For each state with a link address, an outcome; '=': the state stays. */
function rows(event: string, make: (who: string) => Step, ...outcomes: readonly string[]): Row[] {
  return BEFORE.map((state, i) => [state, event, make, outcomes[i]!.replace('=', `${state} @0a`)]);
}

const ROWS: readonly Row[] = [
  // No entry is made for an advertisement (§7.2.5).
  ...['', 'S', 'O', 'SO', 'R', 'RSO'].map(
    (flags): Row => ['NONE', `NA ${flags || '-'}`, (who) => na(who, flags, { ...OTHER, dst: 'fd00::1' }), 'INCOMPLETE'],
  ),
  ['NONE', 'NA SO without a link address', (who) => na(who, 'SO', NOWHERE), 'INCOMPLETE'],
  ['NONE', 'NS with its link address', (who) => ns(who, OTHER), 'DELAY @0b'],
  ['NONE', 'NS without', (who) => ns(who, { ...NOWHERE, dst: 'fd00::1' }), 'INCOMPLETE'],
  // Who did not answer is forgotten: it is as if it had never been asked for.
  ...['', 'S', 'O', 'SO', 'RSO'].map(
    (flags): Row => ['FAILED', `NA ${flags || '-'}`, (who) => na(who, flags, { ...OTHER, dst: 'fd00::1' }), 'INCOMPLETE'],
  ),
  ['FAILED', 'NA S without a link address', (who) => na(who, 'S', NOWHERE), 'INCOMPLETE'],
  ['FAILED', 'NS with its link address', (who) => ns(who, OTHER), 'DELAY @0b'],
  // The override flag says nothing while nothing is known. What waited goes out at once, which begins the delay of a stale one.
  ['INCOMPLETE', 'NA S', (who) => na(who, 'S', OTHER), 'REACHABLE @0b'],
  ['INCOMPLETE', 'NA SO', (who) => na(who, 'SO', OTHER), 'REACHABLE @0b'],
  ['INCOMPLETE', 'NA RSO', (who) => na(who, 'RSO', OTHER), 'REACHABLE @0b'],
  ['INCOMPLETE', 'NA -', (who) => na(who, '', OTHER), 'DELAY @0b'],
  ['INCOMPLETE', 'NA O', (who) => na(who, 'O', OTHER), 'DELAY @0b'],
  ['INCOMPLETE', 'NA R', (who) => na(who, 'R', OTHER), 'DELAY @0b'],
  ['INCOMPLETE', 'NA SO without a link address', (who) => na(who, 'SO', NOWHERE), 'lost'],
  ['INCOMPLETE', 'NA - without a link address', (who) => na(who, '', NOWHERE), 'lost'],
  ['INCOMPLETE', 'NS with its link address', (who) => ns(who, OTHER), 'DELAY @0b'],
  ...rows('NA S, the same link address', (who) => na(who, 'S', SAME), ...Array(4).fill('REACHABLE @0a')),
  ...rows('NA SO, the same', (who) => na(who, 'SO', SAME), ...Array(4).fill('REACHABLE @0a')),
  ...rows('NA RS, the same', (who) => na(who, 'RS', SAME), ...Array(4).fill('REACHABLE @0a')),
  ...rows('NA S, none', (who) => na(who, 'S', NOWHERE), ...Array(4).fill('REACHABLE @0a')),
  ...rows('NA SO, none', (who) => na(who, 'SO', NOWHERE), ...Array(4).fill('REACHABLE @0a')),
  ...rows('NA -, the same', (who) => na(who, '', SAME), ...Array(4).fill('=')),
  ...rows('NA O, the same', (who) => na(who, 'O', SAME), ...Array(4).fill('=')),
  ...rows('NA RO, the same', (who) => na(who, 'RO', SAME), ...Array(4).fill('=')),
  ...rows('NA -, none', (who) => na(who, '', NOWHERE), ...Array(4).fill('=')),
  ...rows('NA O, none', (who) => na(who, 'O', NOWHERE), ...Array(4).fill('=')),
  ...rows('NA S, another', (who) => na(who, 'S', OTHER), 'STALE @0a', '=', '=', '='),
  ...rows('NA RS, another', (who) => na(who, 'RS', OTHER), 'STALE @0a', '=', '=', '='),
  ...rows('NA -, another', (who) => na(who, '', OTHER), 'STALE @0a', '=', '=', '='),
  ...rows('NA R, another', (who) => na(who, 'R', OTHER), 'STALE @0a', '=', '=', '='),
  ...rows('NA SO, another', (who) => na(who, 'SO', OTHER), ...Array(4).fill('REACHABLE @0b')),
  ...rows('NA RSO, another', (who) => na(who, 'RSO', OTHER), ...Array(4).fill('REACHABLE @0b')),
  ...rows('NA O, another', (who) => na(who, 'O', OTHER), ...Array(4).fill('STALE @0b')),
  ...rows('NA RO, another', (who) => na(who, 'RO', OTHER), ...Array(4).fill('STALE @0b')),
  // The answer to a solicitation is a packet like any other: it begins the delay of a stale one.
  ...rows('NS, the same', (who) => ns(who, SAME), '=', 'DELAY @0a', '=', '='),
  ...rows('NS, another', (who) => ns(who, OTHER), ...Array(4).fill('DELAY @0b')),
  ...rows('NS, none', (who) => ns(who, { ...NOWHERE, dst: 'fd00::1' }), '=', 'DELAY @0a', '=', '='),
  // Not valid: as if nothing had come.
  ...rows('NA SO, another, hop limit 254', (who) => na(who, 'SO', { ...OTHER, hopLimit: 254 }), ...Array(4).fill('=')),
  ...rows('NA SO, another, to all', (who) => na(who, 'SO', { ...OTHER, dst: 'ff02::1' }), ...Array(4).fill('=')),
];

describe('RFC 4861, Appendix C', () => {
  let number = 0x100;
  test.each(ROWS.map(([state, event, make, outcome]) => [state, event, outcome, make] as const))(
    '%s: %s: %s',
    async (state, _event, outcome, make) => {
      const who = `fd00::${(number++).toString(16)}`;
      await tester.run({ steps: [...into(state, who), make(who)], out: [] });
      if (outcome !== 'lost') expect(await seen(who)).toBe(outcome);
      else {
        // It goes on waiting: asked for twice more, and no packet leaves.
        const out = (await tester.run({ steps: [3100], out: [] })).filter((each) => each.includes(who));
        expect(out.map((each) => each.split(' ')[1])).toEqual(['NS', 'NS']);
      }
    },
  );

  const link = (last: string): string => `fe80::${last}`;
  const solicited: readonly (readonly [string, (who: string) => Step[], string])[] = [
    ['RA, no entry', (who) => [ra({ link: '0b' }, { src: who })], 'STALE @0b'],
    ['RA, reachable, the same', (who) => [...into('REACHABLE', who), ra({ link: '0a' }, { src: who })], 'REACHABLE @0a'],
    ['RA, reachable, another', (who) => [...into('REACHABLE', who), ra({ link: '0b' }, { src: who })], 'STALE @0b'],
    ['RA, probed, another', (who) => [...into('PROBE', who), ra({ link: '0b' }, { src: who })], 'STALE @0b'],
    ['RA, reachable, none', (who) => [...into('REACHABLE', who), ra({ link: null }, { src: who })], 'REACHABLE @0a'],
    ['RA, asked for', (who) => [...into('INCOMPLETE', who), ra({ link: '0b' }, { src: who })], 'DELAY @0b'],
    ['RA, failed', (who) => [...into('FAILED', who), ra({ link: '0b' }, { src: who })], 'STALE @0b'],
  ];
  test.each(solicited)('%s', async (_what, make, outcome) => {
    const who = link((number++).toString(16));
    await tester.run({ steps: make(who), out: [] });
    expect(await seen(who)).toBe(outcome);
    await tester.run({ steps: [ra({ lifetimeS: 0, link: null }, { src: who })], out: [] });
  });

  const better: readonly (readonly [string, (who: string) => Step[], Record<string, string>, string])[] = [
    ['redirect, no entry', () => [], { link: '0b' }, 'STALE @0b'],
    ['redirect, no entry, no link address', () => [], {}, 'INCOMPLETE'],
    ['redirect, reachable, the same', (who) => into('REACHABLE', who), { link: '0a' }, 'REACHABLE @0a'],
    ['redirect, reachable, another', (who) => into('REACHABLE', who), { link: '0b' }, 'STALE @0b'],
    ['redirect, reachable, none', (who) => into('REACHABLE', who), {}, 'REACHABLE @0a'],
    ['redirect, delayed, another', (who) => into('DELAY', who), { link: '0b' }, 'STALE @0b'],
    ['redirect, probed, another', (who) => into('PROBE', who), { link: '0b' }, 'STALE @0b'],
    ['redirect, asked for', (who) => into('INCOMPLETE', who), { link: '0b' }, 'DELAY @0b'],
  ];
  test.each(better)('%s', async (_what, make, way, outcome) => {
    const who = link((number++).toString(16));
    const far = `2001:db8::${number.toString(16)}`;
    await tester.run({ steps: [ra({}), 1, ...make(who), redirects(who, far, way)], out: [] });
    expect(await seen(who, far)).toBe(outcome);
  });
});
