import { parseIpv6 } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row, Step } from './tester.ts';
import { begin, echo, HOST_LINK, na, ns, ra, raw, send, set, Tester } from './tester.ts';

const EUI = '2001:db8:1::ff:fe00:1';
const GROUP = 'ff02::1:ff00:1';
const probe = (target: string): string => `NS :: > ${GROUP} ${target} nonce`;
const RS = `RS ${HOST_LINK} > ff02::2 s=01`;

/** An advertised prefix. */
function says(validS: number, preferredS: number, lifetimeS = 1800): Step {
  const prefixes = [{ prefix: parseIpv6('2001:db8:1::')!, prefixLen: 64, onLink: true, autonomous: true, validS, preferredS }];
  return ra({ lifetimeS, prefixes });
}

const up: Step = ({ peer }) => {
  peer.host.down('eth0');
  peer.host.up('eth0');
};
const OTHER = 'fd00::77';
const add: Step = ({ peer }) => peer.host.addAddress('eth0', `${OTHER}/64`);
const asked = `NS :: > ff02::1:ff00:77 ${OTHER} nonce`;
const refresh = ra({});
/** All is settled, a router has answered, and the host knows PEER. */
const settled: Step[] = [up, 2500, refresh, 100, ns('fe80::9', {}, HOST_LINK), 10, begin];
const reply = (src: string, to: string, number: number): string => `ECHO ${src} > ${to}@09 ${number}`;
/** An address of a prefix, and a neighbour who is known. */
const made = (validS: number, preferredS: number): Step[] => [...settled, says(validS, preferredS), 1100, begin];

const ROWS: readonly Row[] = [
  {
    rfc: '4862 §5.4.2',
    what: 'without a delay: asked at once, once, and used a second later',
    steps: [up, 3000],
    out: [`0 ${probe(HOST_LINK)}`, `1000 ${RS}`],
  },
  {
    rfc: '4862 §5.1',
    what: 'as often as is wanted, at the retransmission time',
    steps: [
      ...settled,
      set('dad_transmits', 3),
      ra({ retransMs: 500 }),
      1,
      begin,
      add,
      1600,
      set('dad_transmits', 1),
      ra({ retransMs: 1000 }),
      10,
    ],
    out: [`0 ${asked}`, `500 ${asked}`, `1000 ${asked}`],
  },
  {
    rfc: '7527 §4.1',
    what: 'without a nonce, where that is wanted',
    steps: [...settled, set('enhanced_dad', 0), add, 1100, set('enhanced_dad', 1)],
    out: [`0 NS :: > ff02::1:ff00:77 ${OTHER}`],
  },
  {
    rfc: '4862 §5.4.3',
    what: 'tentative: who asks for it by name is not answered; nor is an echo',
    steps: [...settled, add, 100, ns('fe80::9', {}, OTHER), echo('fe80::9', 1, OTHER), 800],
    out: [`0 ${asked}`],
  },
  {
    rfc: '4862 §5.4.5',
    what: 'then both are',
    steps: [...settled, add, 1010, ns('fe80::9', {}, OTHER), echo('fe80::9', 1, OTHER), 10],
    out: [`0 ${asked}`, `1010 NA SO ${OTHER} > fe80::9@09 ${OTHER} t=01`, `1010 ${reply(OTHER, 'fe80::9', 1)}`],
  },
  {
    rfc: '4862 §5.4.3',
    what: 'tentative, and another tries it: nobody has it, not even later',
    steps: [
      ...settled,
      add,
      500,
      ns('::', {}, OTHER),
      3000,
      ns('fe80::9', {}, OTHER),
      echo('fe80::9', 1, OTHER),
      ns('::', {}, OTHER),
      1000,
    ],
    out: [`0 ${asked}`],
  },
  ...['O', 'SO', ''].map(
    (flags): Row => ({
      rfc: '4862 §5.4.4',
      what: `tentative, and another says that he has it (${flags || 'no flags'}): it is his`,
      steps: [
        ...settled,
        add,
        500,
        na(OTHER, flags, { dst: flags === 'SO' ? HOST_LINK : 'ff02::1' }),
        3000,
        ns('fe80::9', {}, OTHER),
        1000,
      ],
      out: [`0 ${asked}`],
    }),
  ),
  {
    rfc: '4862 §5.4.4',
    what: 'an advertisement that is not sound says nothing',
    steps: [...settled, add, 500, na(OTHER, 'O', { hopLimit: 254 }), 600, ns('fe80::9', {}, OTHER), 10],
    out: [`0 ${asked}`, `1100 NA SO ${OTHER} > fe80::9@09 ${OTHER} t=01`],
  },
  {
    rfc: '4862 §5.4.3',
    what: 'nor does a solicitation from nobody with a link address',
    steps: [...settled, add, 500, ns('::', { link: '09' }, OTHER), 600, ns('fe80::9', {}, OTHER), 10],
    out: [`0 ${asked}`, `1100 NA SO ${OTHER} > fe80::9@09 ${OTHER} t=01`],
  },
  {
    rfc: '4862 §5.4.5',
    what: 'once it is ours, who tries it is told, all hear it',
    steps: [...settled, add, 1010, ns('::', {}, OTHER), 10],
    out: [`0 ${asked}`, `1010 NA O ${OTHER} > ff02::1 ${OTHER} t=01`],
  },
  {
    rfc: '4862 §5.4.5',
    what: 'a duplicate link-local address: no router is asked, nobody is answered by it',
    steps: [up, 500, na(HOST_LINK, 'O'), 5000, ns('fe80::9', {}, HOST_LINK), echo('fe80::9', 1, HOST_LINK), 1000],
    out: [`0 ${probe(HOST_LINK)}`],
  },
  {
    rfc: '4862 §5.4.5',
    what: 'accept_dad 2: then IPv6 is off there, whatever routers say',
    steps: [...[set('accept_dad', 2), up, 500, na(HOST_LINK, 'O'), 500, says(7200, 7200), 3000, echo('fe80::9', 1, EUI), 1000]],
    after: [set('accept_dad', 1), set('disable_ipv6', 0)],
    out: [`0 ${probe(HOST_LINK)}`],
  },
  // Routers are asked for (RFC 4861 §6.3.7, RFC 7559).
  {
    rfc: '7559 §2.1',
    what: 'asked for again and again: after 4 s, and twice as long each time, each a tenth shorter or longer',
    steps: [up, 36_000],
    out: [`0 ${probe(HOST_LINK)}`, `1000 ${RS}`, `4600-5400 ${RS}`, `11800-14200 ${RS}`, `25000-33000 ${RS}`],
  },
  { rfc: '4861 §6.3.7', what: 'until one answers', steps: [up, 1500, refresh, 60_000], out: [`0 ${probe(HOST_LINK)}`, `1000 ${RS}`] },
  {
    rfc: '7559 §2.1',
    what: 'who is no default router has not answered',
    steps: [up, 1500, ra({ lifetimeS: 0 }), 4000, refresh, 60_000],
    out: [`0 ${probe(HOST_LINK)}`, `1000 ${RS}`, `4600-5400 ${RS}`],
  },
  {
    rfc: '4861 §6.3.7',
    what: 'one is asked also where one has spoken before',
    steps: [up, 1, set('router_solicitation_delay', 1), 1000, refresh, 7000],
    after: [set('router_solicitation_delay', 0)],
    out: [`0 ${probe(HOST_LINK)}`, `1000-2000 ${RS}`, `4600-7400 ${RS}`],
  },
  {
    rfc: '4861 §6.3.7',
    what: 'it is not asked for by who has no address yet',
    steps: [up, 990],
    out: [`0 ${probe(HOST_LINK)}`],
  },
  // Addresses of prefixes (§5.5.3, §5.5.4).
  {
    rfc: '4862 §5.5.3',
    what: 'an address of an advertised prefix is looked for like others',
    steps: [...settled, says(7200, 7200), 1010, echo('fe80::9', 1, EUI), 10],
    out: [`0 ${probe(EUI)}`, `1010 ${reply(EUI, 'fe80::9', 1)}`],
  },
  {
    rfc: '4862 §5.5.3',
    what: 'advertised again it is not looked for again',
    steps: [...made(7200, 7200), says(7200, 7200), 3000],
    out: [],
  },
  {
    rfc: '4862 §5.5.3 e',
    what: 'of a valid time of 0 it is lived on for what is left, up to two hours, deprecated',
    steps: [
      ...made(100_000, 100_000),
      says(0, 0),
      7_199_000,
      ns('fe80::9', {}, HOST_LINK),
      10,
      begin,
      echo('fe80::9', 1, EUI),
      2000,
      echo('fe80::9', 2, EUI),
      10,
    ],
    out: [`0 ${reply(EUI, 'fe80::9', 1)}`],
  },
  {
    rfc: '4862 §5.5.3 e',
    what: 'with less than two hours left a shorter time says nothing',
    steps: [
      ...made(60, 60),
      says(10, 10),
      30_000,
      ns('fe80::9', {}, HOST_LINK),
      10,
      begin,
      echo('fe80::9', 1, EUI),
      10,
      na('fe80::9', 'SO', { dst: HOST_LINK }),
      30_000,
      echo('fe80::9', 2, EUI),
      10,
    ],
    out: [`0 ${reply(EUI, 'fe80::9', 1)}`],
  },
  {
    rfc: '4862 §5.5.3 e',
    what: 'a longer one does',
    steps: [...made(20, 20), says(60, 60), 50_000, ns('fe80::9', {}, HOST_LINK), 10, begin, echo('fe80::9', 1, EUI), 10],
    out: [`0 ${reply(EUI, 'fe80::9', 1)}`],
  },
  {
    rfc: '4862 §5.5.4',
    what: 'when its time is over it is nobody’s: not asked for, not answered',
    steps: [...made(10, 10), 9500, begin, ns('fe80::9', {}, EUI), echo('fe80::9', 1, EUI), 10],
    out: [],
  },
  {
    rfc: '4862 §5.5.4',
    what: 'deprecated it is answered by, and not begun with',
    steps: [...made(7200, 5), add, 5000, ns('fe80::9', {}, HOST_LINK), 10, begin, echo('fe80::9', 1, EUI), 5, send('2001:db8:9::1', 2), 10],
    out: [`0 ${reply(EUI, 'fe80::9', 1)}`, `5 UDP ${OTHER} > 2001:db8:9::1@09 2`],
  },
  {
    rfc: '4862 §5.5.4',
    what: 'unless there is no other of its scope',
    steps: [...made(7200, 5), 5000, ns('fe80::9', {}, HOST_LINK), 10, begin, send('2001:db8:9::1', 2), 10],
    out: [`0 UDP ${EUI} > 2001:db8:9::1@09 2`],
  },
  {
    rfc: '4429 §3.3',
    what: 'optimistic: answered for without override',
    steps: [
      ...[...settled, set('optimistic_dad', 1), says(7200, 7200), 10, ns('fe80::9', {}, EUI), 10, set('optimistic_dad', 0)],
      ...[1000, ns('fe80::9', {}, EUI), 10],
    ],
    out: [`0 ${probe(EUI)}`, `10 NA S ${EUI} > fe80::9@09 ${EUI} t=01`, `1020 NA SO ${EUI} > fe80::9@09 ${EUI} t=01`],
  },
  {
    rfc: '4429 §3.2',
    what: 'optimistic: nobody is asked by it, so that nobody learns it',
    steps: [
      ...settled,
      set('optimistic_dad', 1),
      says(7200, 7200),
      10,
      echo('2001:db8:1::5', 1, EUI),
      10,
      na('2001:db8:1::5', 'S', { dst: HOST_LINK }),
      10,
    ],
    out: [`0 ${probe(EUI)}`, `10 NS ${HOST_LINK} > ff02::1:ff00:5 2001:db8:1::5 s=01`, `20 ${reply(EUI, '2001:db8:1::5', 1)}`],
    after: [set('optimistic_dad', 0)],
  },
  {
    rfc: '4862 §5.4.5',
    what: 'an address of a prefix that is another’s is not tried again with each advertisement',
    steps: [...settled, says(7200, 7200), 100, na(EUI, 'O'), 100, says(7200, 7200), 3000, ns('fe80::9', {}, EUI), 10],
    out: [`0 ${probe(EUI)}`],
  },
  {
    rfc: '7527 §4.2',
    what: 'another nonce is another’s: nobody has it',
    steps: [
      ...settled,
      add,
      10,
      raw(135, 0, OTHER, '0e01010203040506', { src: '::', dst: 'ff02::1:ff00:77' }),
      3000,
      ns('fe80::9', {}, OTHER),
      10,
    ],
    out: [`0 ${asked}`],
  },
  // RFC 7527 and 9131.
  {
    rfc: '7527 §4.1',
    what: 'our own solicitation, come back: three more follow, and it is an address when they do not',
    steps: [...settled, add, 0.5, (each) => each.peer.packet(each.peer.received.at(-1)!), 4100, ns('fe80::9', {}, OTHER), 10],
    out: [...[0, 1000, 2000, 3000].map((ms) => `${ms} ${asked}`), `4100 NA SO ${OTHER} > fe80::9@09 ${OTHER} t=01`],
  },
  {
    rfc: '4861 §7.2.6',
    what: 'ndisc_notify: all are told of a new address',
    steps: [...settled, set('ndisc_notify', 1), add, 1010, set('ndisc_notify', 0)],
    out: [`0 ${asked}`, `1000 NA O ${OTHER} > ff02::1 ${OTHER} t=01`],
  },
  {
    rfc: '9131 §6.1.1',
    what: 'accept_untracked_na: on a router an advertisement of who is not known makes him known',
    steps: [
      ...[...settled, set('forwarding', 1), set('accept_untracked_na', 1), na('fe80::5', '', { link: '05' }), 10, begin],
      ...[echo('fe80::5', 1, HOST_LINK), 10],
    ],
    after: [set('forwarding', 0), set('accept_untracked_na', 0)],
    out: [`0 ECHO ${HOST_LINK} > fe80::5@05 1`],
  },
  {
    rfc: '4861 §7.2.5',
    what: 'drop_unsolicited_na: one that answers nobody changes nothing',
    steps: [
      ...[...settled, set('drop_unsolicited_na', 1), na('fe80::9', 'O', { link: '0b' }), 10, begin, echo('fe80::9', 1, HOST_LINK), 10],
      set('drop_unsolicited_na', 0),
    ],
    out: [`0 ${reply(HOST_LINK, 'fe80::9', 1)}`],
  },
];

let tester: Tester;
beforeAll(async () => {
  const all = { accept_dad: 1, router_solicitations: -1, router_solicitation_delay: 0 };
  const settings = Object.entries(all).map(([name, value]) => [`net.ipv6.conf.default.${name}`, value]);
  tester = await Tester.boot({ settings: Object.fromEntries(settings) });
});
afterAll(() => tester.peer.end());

test.each(ROWS.map((row) => [row.rfc, row.what, row] as const))('RFC %s: %s', async (_rfc, _what, row) => {
  expect(await tester.run(row)).toEqual(row.out);
});

test('RFC 4862 §5.4.2, 3590 §4, 4861 §6.3.7: the group is reported before it is asked for; then by the address; then routers are asked', async () => {
  const on = [set('router_solicitation_delay', 1), set('mld_reports', 1)];
  const out = await tester.run({ steps: [...on, up, 5000], out: [], after: [set('router_solicitation_delay', 0), set('mld_reports', 0)] });
  const all = out.map((line) => ({ ms: Number(line.split(' ')[0]), text: line.slice(line.indexOf(' ') + 1) }));
  expect(all[0]).toEqual({ ms: 0, text: `MLD :: > ff02::16 ${GROUP}` });
  const [asked, ...more] = all.filter(({ text }) => text === probe(HOST_LINK));
  expect([more.length, asked!.ms <= 1000]).toEqual([0, true]);
  const again = all.filter(({ text }) => text === `MLD ${HOST_LINK} > ff02::16 ${GROUP}`);
  expect([again.length, again[0]!.ms]).toEqual([2, asked!.ms + 1000]);
  const router = all.find(({ text }) => text === RS)!;
  expect([router.ms >= asked!.ms + 1000, router.ms <= asked!.ms + 2000]).toEqual([true, true]);
});
