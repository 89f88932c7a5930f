import { parseIpv6 } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row, Step } from './tester.ts';
import { advertise, begin, echo, forget, HOST_LINK, na, ns, passing, ra, rs, send, set, Tester } from './tester.ts';

const PEER = 'fd00::9';
const FAR = '2001:db8::5';
const NEAR = 'fd00::7';

/** What it says by default of itself (§6.2.1): its prefix, for 30 and 7 days. */
const said = (to: string, life = 1800): string =>
  `RA ${HOST_LINK} > ${to} hop=64 flags=0 life=${life} reach=0 retrans=0 s=01 prefix=fd00::/64 flags=192 2592000/604800`;
const ALL = said('ff02::1');
const ALONE = said('fe80::9@09');
const FAREWELL = said('ff02::1', 0);
/** It speaks since a while, and all were told long ago. */
const speaking: Step[] = [advertise({ maxIntervalMs: 1_800_000, lifetimeMs: 1_800_000, minIntervalMs: 1_350_000 }), 100_000, begin];

const ROWS: readonly Row[] = [
  {
    rfc: '4861 §6.2.4',
    what: 'the first three are at most 16 s apart, the next 200 to 600 s later',
    steps: [advertise({}), 640_000],
    out: [`0-500 ${ALL}`, `0-16500 ${ALL}`, `16000-33000 ${ALL}`, `232000-640000 ${ALL}`],
  },
  {
    rfc: '4861 §6.2.6',
    what: 'who asks is answered within half a second, by group',
    steps: [...speaking, rs('fe80::9'), 1000],
    out: [`0-500 ${ALL}`],
  },
  { rfc: '4861 §6.2.6', what: 'also without an address', steps: [...speaking, rs('::'), 1000], out: [`0-500 ${ALL}`] },
  {
    rfc: '4861 §6.2.6',
    what: 'also without a link address',
    steps: [...speaking, rs('fe80::9', { link: null }), 1000],
    out: [`0-500 ${ALL}`],
  },
  {
    rfc: '4861 §6.2.6',
    what: 'two that ask at once have one answer',
    steps: [...speaking, rs('fe80::9'), rs('fe80::8', { link: '08' }), 2000],
    out: [`0-500 ${ALL}`],
  },
  {
    rfc: '4861 §6.2.6',
    what: 'who asks when all were just told is answered alone, at its link address',
    steps: [...speaking, rs('fe80::9'), 1000, rs('fe80::9'), 1000],
    out: [`0-500 ${ALL}`, `1000-1500 ${ALONE}`],
  },
  {
    rfc: '4861 §6.2.6',
    what: 'and who has no address waits until 3 s after',
    steps: [...speaking, rs('::'), 600, rs('::'), 3400],
    out: [`0-500 ${ALL}`, `3000-4000 ${ALL}`],
  },
  { rfc: '4861 §6.2.6', what: 'it says nothing where it does not advertise', steps: [rs('fe80::9'), 5000], out: [] },
  {
    rfc: '4861 §6.2.5',
    what: 'three farewells, 3 s apart; then nobody is answered',
    steps: [...speaking, advertise(null), 10_000, rs('fe80::9'), 1000],
    out: [`0 ${FAREWELL}`, `3000 ${FAREWELL}`, `6000 ${FAREWELL}`],
  },
  {
    rfc: '4861 §6.2.6',
    what: 'what begins again right after a farewell waits 3 s',
    steps: [...speaking, advertise(null), 100, advertise({}), 3500],
    out: [`0 ${FAREWELL}`, `3000-3500 ${ALL}`],
  },
  {
    rfc: '4861 §6.2.1',
    what: 'all that it may say, in its fields',
    steps: [
      advertise({
        ...{ managed: true, otherConfig: true, preference: 1, hopLimit: 33, reachableMs: 30_000, retransMs: 1500, mtuBytes: 1400 },
        ...{
          maxIntervalMs: 60_000,
          lifetimeMs: 60_000,
          prefixes: [{ prefix: parseIpv6('2001:db8:1::')!, prefixLen: 64, onLink: false, validMs: Infinity, preferredMs: 60_000 }],
        },
      }),
      500,
    ],
    out: [
      `0-500 RA ${HOST_LINK} > ff02::1 hop=33 flags=200 life=60 reach=30000 retrans=1500 s=01 mtu=1400 prefix=2001:db8:1::/64 flags=64 4294967295/60`,
    ],
  },
  {
    rfc: '4191 §2.2',
    what: 'who is no default router says no preference',
    steps: [advertise({ preference: 1, lifetimeMs: 0, prefixes: [] }), 500],
    out: [`0-500 RA ${HOST_LINK} > ff02::1 hop=64 flags=0 life=0 reach=0 retrans=0 s=01`],
  },
  // Solicitations learnt (§6.2.6), and what it is as a neighbour (§7.2.4).
  {
    rfc: '4861 §6.2.6',
    what: 'who asks for routers is known by it',
    steps: [...speaking, rs('fe80::9', { link: '0b' }), 600, begin, echo('fe80::9', 3, HOST_LINK), 10],
    out: [`0 ECHO ${HOST_LINK} > fe80::9@0b 3`],
  },
  ...['0a', null].map(
    (link): Row => ({
      rfc: '4861 §6.2.6',
      what: `and is no router: a host that heeds routers beside it has one less (${link === null ? 'without' : 'with'} a link address)`,
      steps: [
        ...[set('accept_ra', 2), ...speaking, ra({ link: '0a' }, { src: 'fe80::a' }), 10, begin, send('2001:db9::1', 1), 10],
        ...[rs('fe80::a', { link }), 600, send('2001:db9::1', 2), 1000],
      ],
      out: ['0 UDP fd00::1 > 2001:db9::1@0a 1', `10-510 ${ALL}`],
      after: [set('accept_ra', 1)],
    }),
  ),
  { rfc: '4861 §7.2.4', what: 'answers as a router', steps: [ns(PEER), 10], out: ['0 NA RSO fd00::1 > fd00::9@09 fd00::1 t=01'] },
  { rfc: '4861 §7.2.4', what: 'and to nobody by name', steps: [ns('::'), 10], out: ['0 NA RO fd00::1 > ff02::1 fd00::1 t=01'] },
  {
    rfc: '4861 §7.2.7',
    what: 'for the subnet-router anycast address within a second, overriding nothing, from an address of its own (RFC 4443 §2.2)',
    steps: [ns('fe80::9', {}, 'fd00::'), 1000],
    out: [`0-1000 NA RS ${HOST_LINK} > fe80::9@09 fd00:: t=01`],
  },
  {
    rfc: '4443 §2.2',
    what: 'an echo to the anycast address is answered by an address of its own',
    steps: [ns(PEER), 10, begin, echo(PEER, 5, 'fd00::'), 10],
    out: ['0 ECHO fd00::1 > fd00::9@09 5'],
  },
  // Passing on (§5.2), redirects (§8.2).
  {
    rfc: '4861 §7.2.2',
    what: 'asks in its own name for whom it has a packet of another; three times, and tells the sender',
    steps: [ns('fe80::8', { link: '08' }, HOST_LINK), 10, begin, passing('2001:db8::99', NEAR), 4000],
    out: [
      ...[0, 1000, 2000].map((ms) => `${ms} NS ${HOST_LINK} > ff02::1:ff00:7 fd00::7 s=01`),
      '3000 ERROR 1/3 fd00::1 > 2001:db8::99@08',
    ],
  },
  {
    rfc: '4861 §8.2',
    what: 'a neighbour that is on the link of the sender: told, and passed on',
    steps: [ns(PEER), ns(NEAR, { link: '07' }), 10, begin, passing(PEER, NEAR), 10],
    out: [`0 REDIRECT ${HOST_LINK} > fd00::9@09 fd00::7 for fd00::7 t=07 quote=64`, '0 UDP fd00::9 > fd00::7@07 0 hop=63'],
  },
  {
    rfc: '4861 §8.2',
    what: 'one whose link address is not known: told without it',
    steps: [ns(PEER), 10, begin, passing(PEER, NEAR), 10, na(NEAR, 'SO', { link: '07', dst: HOST_LINK }), 10],
    out: [
      `0 REDIRECT ${HOST_LINK} > fd00::9@09 fd00::7 for fd00::7 quote=64`,
      `0 NS ${HOST_LINK} > ff02::1:ff00:7 fd00::7 s=01`,
      '10 UDP fd00::9 > fd00::7@07 0 hop=63',
    ],
  },
  {
    rfc: '4861 §8.2',
    what: 'a better router: by its link-local address',
    steps: [ns(PEER), ns('fe80::8', { link: '08' }, HOST_LINK), 10, begin, passing(PEER, FAR), 10],
    out: [`0 REDIRECT ${HOST_LINK} > fd00::9@09 fe80::8 for ${FAR} t=08 quote=64`, `0 UDP fd00::9 > ${FAR}@08 0 hop=63`],
  },
  {
    rfc: '4861 §8.2',
    what: 'no more than fits into 1280 bytes is quoted',
    steps: [ns(PEER), ns('fe80::8', { link: '08' }, HOST_LINK), 10, begin, passing(PEER, FAR, 1400), 10],
    out: [`0 REDIRECT ${HOST_LINK} > fd00::9@09 fe80::8 for ${FAR} t=08 quote=1184`, `0 UDP fd00::9 > ${FAR}@08 0 hop=63`],
  },
  {
    rfc: '4861 §8.2',
    what: 'who is no neighbour is told nothing',
    steps: [ns('fe80::8', { link: '08' }, HOST_LINK), 10, begin, passing('2001:db9::1', FAR), 10],
    out: [`0 UDP 2001:db9::1 > ${FAR}@08 0 hop=63`],
  },
  {
    rfc: '4291 §2.5.6',
    what: 'what comes from a link-local address does not go further: its sender is told (RFC 4443 §3.1)',
    steps: [ns('fe80::9', {}, HOST_LINK), 10, begin, passing('fe80::9', FAR), 10],
    out: [`0 ERROR 1/2 ${HOST_LINK} > fe80::9@09`],
  },
  { rfc: '4291 §2.5.6', what: 'nor what goes to one', steps: [ns(PEER), 10, begin, passing(PEER, 'fe80::77'), 10], out: [] },
];

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot({ settings: { 'net.ipv6.conf.all.forwarding': 1, 'net.ipv6.conf.default.forwarding': 1 } });
  tester.peer.host.addRoute('2001:db8::/32', { via: 'fe80::8', dev: 'eth0' });
});
afterAll(() => tester.peer.end());

test.each(ROWS.map((row) => [row.rfc, row.what, row] as const))('RFC %s: %s', async (_rfc, _what, row) => {
  await tester.run({ steps: [advertise(null), 20_000, forget], out: [] });
  expect(await tester.run(row)).toEqual(row.out);
});
