import type { RouterMessage } from '@softnet/ipv6';
import { parseIpv6 } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendNd } from '../router-messages.ts';
import type { Row, Step, Way } from './tester.ts';
import { begin, HOST, na, ns, ra, redirects, restart, send, set, Tester } from './tester.ts';

const FAR = '2001:db8::5';
const NET = '2001:db8::';
const ROUTER = 'fe80::9';
const [ONE, TWO] = ['fe80::a', 'fe80::b'];

/** A datagram to FAR. @param last byte of the link address that it goes to. */
function goes(last: string, number: number, more = ''): string {
  return `UDP fd00::1 > ${FAR}@${last} ${number}${more}`;
}

/** Two routers, whose link addresses end in 0a and 0b. */
function router(src: string, message: Partial<RouterMessage> = {}): Step {
  return ra({ ...message, link: src.slice(-1).padStart(2, '0') }, { src });
}

function prefix(prefixLen: number, validS: number, onLink = true, preferredS = validS): Partial<RouterMessage> {
  return { prefixes: [{ prefix: parseIpv6(NET)!, prefixLen, onLink, autonomous: false, validS, preferredS }] };
}

/** An advertisement of ROUTER, word by word. @param options hexadecimal. */
function words(rest: number, options: string): Step {
  const payload = Uint8Array.from(Buffer.from(`${'00'.repeat(8)}${options}`, 'hex'));
  return ({ peer }) => sendNd(peer, { type: 134, rest, payload });
}

const asks = (target: string, src = HOST): string => `NS ${src} > ff02::1:ff00:${target.slice(target.lastIndexOf(':') + 1)} ${target} s=01`;
const says = (target: string, flags: string, way: Way = {}): Step => na(target, flags, { dst: 'fe80::ff:fe00:1', ...way });
const SETTLE = 2;

const ROWS: readonly Row[] = [
  // Next hops (§5.2, §6.3.4, §6.3.6).
  { rfc: '4861 §5.2', what: 'without a router nobody is taken to be on the link', steps: [send(FAR, 1), 5000], out: [] },
  {
    rfc: '4861 §6.3.4',
    what: 'a router that has said its link address is not asked for',
    steps: [ra(), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'one that has not is',
    steps: [ra({ link: null }), SETTLE, send(FAR, 1), 10, says(ROUTER, 'RSO'), 10],
    out: [`2 ${asks(ROUTER)}`.replace(HOST, 'fd00::1'), `12 ${goes('09', 1)}`],
  },
  { rfc: '4861 §6.3.4', what: 'of a lifetime of 0: none', steps: [ra({ lifetimeS: 0 }), SETTLE, send(FAR, 1), 5000], out: [] },
  {
    rfc: '4861 §6.3.4',
    what: 'a lifetime of 0 ends one at once',
    steps: [ra(), SETTLE, send(FAR, 1), 10, ra({ lifetimeS: 0 }), SETTLE, send(FAR, 2), 1000],
    out: [`2 ${goes('09', 1)}`],
  },
  {
    rfc: '4861 §6.3.5',
    what: 'its time runs out',
    steps: [ra({ lifetimeS: 5 }), 4990, send(FAR, 1), 20, send(FAR, 2), 1000],
    out: [`4990 ${goes('09', 1)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'and begins anew with each advertisement',
    steps: [ra({ lifetimeS: 5 }), 4000, ra({ lifetimeS: 5 }), 4990, send(FAR, 1), 20, send(FAR, 2), 1000],
    out: [`8990 ${goes('09', 1)}`],
  },
  {
    rfc: '4191 §3.2',
    what: 'the preferred one of two',
    steps: [router(ONE, { preference: 0 }), router(TWO, { preference: 1 }), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('0b', 1)}`],
  },
  {
    rfc: '4191 §2.2',
    what: 'the reserved preference is a medium one',
    steps: [router(TWO, { preference: -1 }), words(0x00100708, ''), SETTLE, send(FAR, 1), 10],
    out: [`2 ${asks(ROUTER)}`],
  },
  {
    rfc: '5175 §3',
    what: 'flags that are not known say nothing',
    steps: [words(0x00070708, '0101020000000009'), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1)}`],
  },
  {
    rfc: '4191 §3.1',
    what: 'by the longest prefix, whatever the preference',
    steps: [
      set('accept_ra_rt_info_max_plen', 64),
      router(ONE, { preference: 1 }),
      router(TWO, { lifetimeS: 0, routes: [{ prefix: parseIpv6(NET)!, prefixLen: 48, preference: -1, lifetimeS: 60 }] }),
      SETTLE,
      send(FAR, 1),
      4000,
      says(TWO, 'RSO', { link: '0b' }),
      56_000,
      send(FAR, 2),
      10,
      set('accept_ra_rt_info_max_plen', 0),
    ],
    out: [`2 ${goes('0b', 1)}`, `60002 ${goes('0a', 2)}`],
  },
  {
    rfc: '4861 §6.3.6',
    what: 'one that does not answer is left for the other, 8 s after it was suspected',
    steps: [router(ONE, { preference: 1 }), router(TWO), SETTLE, begin, send(FAR, 1), 7900, send(FAR, 2), 200, send(FAR, 3), 10],
    out: [
      `0 ${goes('0a', 1)}`,
      ...[5000, 6000, 7000].map((ms) => `${ms} NS fe80::ff:fe00:1 > ${ONE}@0a ${ONE} s=01`),
      `7900 ${goes('0a', 2)}`,
      `8100 ${goes('0b', 3)}`,
    ],
  },
  // Routers that become hosts (§7.2.5, §7.3.3).
  ...['SO', 'S', 'O', ''].map((flags): Row => {
    const way = flags.includes('S') ? {} : { dst: 'ff02::1' };
    return {
      rfc: '4861 §7.2.5',
      what: `who says without the router flag that it is there is no router any more: ${flags || 'no flags'}`,
      steps: [
        router(ONE, { preference: 1 }),
        router(TWO),
        SETTLE,
        begin,
        send(FAR, 1),
        10,
        says(ONE, flags, { link: '0a', ...way }),
        SETTLE,
        send(FAR, 2),
        10,
      ],
      out: [`0 ${goes('0a', 1)}`, `12 ${goes('0b', 2)}`],
    };
  }),
  {
    rfc: '4861 §7.2.5',
    what: 'also without a link address',
    steps: [router(ONE), SETTLE, begin, send(FAR, 1), 10, says(ONE, 'SO', { link: null }), SETTLE, send(FAR, 2), 10],
    out: [`0 ${goes('0a', 1)}`],
  },
  {
    rfc: '4861 §7.2.5',
    what: 'not if another link address is said that does not override: then nothing is learnt',
    steps: [router(ONE), SETTLE, begin, send(FAR, 1), 10, says(ONE, 'S', { link: '0f' }), SETTLE, send(FAR, 2), 10],
    out: [`0 ${goes('0a', 1)}`, `12 ${goes('0a', 2)}`],
  },
  {
    rfc: '4861 §7.2.3',
    what: 'a solicitation says nothing about routers',
    steps: [router(ONE), SETTLE, ns(ONE, { link: '0a' }, 'fe80::ff:fe00:1'), SETTLE, begin, send(FAR, 1), 10],
    out: [`0 ${goes('0a', 1)}`],
  },
  {
    rfc: '4861 §7.2.5',
    what: 'it is one again with its next advertisement',
    steps: [router(ONE), SETTLE, says(ONE, 'SO', { link: '0a' }), SETTLE, router(ONE), SETTLE, begin, send(FAR, 1), 10],
    out: [`0 ${goes('0a', 1)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'an advertisement without a link address says too that its neighbour is a router',
    steps: [
      ...[ns(ONE, { link: '0a' }, 'fe80::ff:fe00:1'), SETTLE, ra({ link: null, lifetimeS: 0 }, { src: ONE }), SETTLE],
      ...[ra({ link: null }, { src: ONE }), SETTLE, says(ONE, 'SO', { link: '0a' }), SETTLE, begin, send(FAR, 1), 1000],
    ],
    out: [],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'another link address of it counts at once',
    steps: [ra(), SETTLE, ra({ link: '0c' }), SETTLE, begin, send(FAR, 1), 10],
    out: [`0 ${goes('0c', 1)}`],
  },
  // Parameters (§6.3.4).
  {
    rfc: '4861 §6.3.4',
    what: 'the hop limit',
    steps: [ra({ hopLimit: 42 }), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1, ' hop=42')}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'a hop limit of 0 says nothing',
    steps: [ra({ hopLimit: 42 }), ra({ hopLimit: 0 }), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1, ' hop=42')}`],
  },
  // Prefixes (§6.3.4).
  { rfc: '4861 §6.3.4', what: 'on the link', steps: [ra(prefix(64, 100)), SETTLE, send(FAR, 1), 10], out: [`2 ${asks(FAR)}`] },
  { rfc: '4861 §6.3.4', what: 'on the link, of 48 bits', steps: [ra(prefix(48, 100)), SETTLE, send(FAR, 1), 10], out: [`2 ${asks(FAR)}`] },
  {
    rfc: '4861 §6.3.4',
    what: 'on the link, whoever is no router',
    steps: [ra({ ...prefix(64, 100), lifetimeS: 0 }), SETTLE, send(FAR, 1), 10],
    out: [`2 ${asks(FAR)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'not said to be on the link',
    steps: [ra(prefix(64, 100, false)), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'said first, and then not: it stays',
    steps: [ra(prefix(64, 100)), ra(prefix(64, 100, false)), SETTLE, send(FAR, 1), 10],
    out: [`2 ${asks(FAR)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'valid for 0 s: off the link at once',
    steps: [ra(prefix(64, 100)), ra(prefix(64, 0)), SETTLE, send(FAR, 1), 10],
    out: [`2 ${goes('09', 1)}`],
  },
  {
    rfc: '4861 §6.3.5',
    what: 'its time runs out',
    steps: [ra(prefix(64, 10)), 9900, send(FAR, 1), 50, begin, 100, send(FAR, 2), 10],
    out: [`100 ${goes('09', 2)}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'its time begins anew, also a shorter one',
    steps: [ra(prefix(64, 1000)), ra(prefix(64, 10)), 10_100, send(FAR, 2), 10],
    out: [`10100 ${goes('09', 2)}`],
  },
  // Redirects (§8.1, §8.3).
  {
    rfc: '4861 §8.3',
    what: 'to a better router, whose link address is said',
    steps: [ra(), SETTLE, redirects('fe80::7', FAR, { link: '07' }), SETTLE, send(FAR, 1), 10],
    out: [`4 ${goes('07', 1)}`],
  },
  {
    rfc: '4861 §8.3',
    what: 'or is not',
    steps: [ra(), SETTLE, redirects('fe80::7', FAR), SETTLE, send(FAR, 1), 10],
    out: [`4 ${asks('fe80::7')}`],
  },
  {
    rfc: '4861 §8.3',
    what: 'to the destination itself, which is on the link then',
    steps: [ra(), SETTLE, redirects(FAR, FAR), SETTLE, send(FAR, 1), 10],
    out: [`4 ${asks(FAR)}`],
  },
  {
    rfc: '4861 §8.3',
    what: 'others go their way',
    steps: [ra(), SETTLE, redirects('fe80::7', FAR, { link: '07' }), SETTLE, send('2001:db8::6', 1), 10],
    out: ['4 UDP fd00::1 > 2001:db8::6@09 1'],
  },
  {
    rfc: '4861 §8.1',
    what: 'then only the new first hop may say more',
    steps: [
      ...[ra(), SETTLE, redirects('fe80::7', FAR, { link: '07' }), SETTLE],
      ...[redirects('fe80::8', FAR, { link: '08' }), SETTLE, send(FAR, 1), 10],
      ...[redirects('fe80::8', FAR, { link: '08', src: 'fe80::7' }), SETTLE, send(FAR, 2), 10],
    ],
    out: [`6 ${goes('07', 1)}`, `18 ${goes('08', 2)}`],
  },
  {
    rfc: '4861 §7.3.3',
    what: 'a better hop that is no router any more is left',
    steps: [
      ...[ra(), SETTLE, redirects('fe80::7', FAR, { link: '07' }), SETTLE, send(FAR, 1), 10],
      ...[says('fe80::7', 'SO', { link: '07' }), SETTLE, send(FAR, 2), 10],
    ],
    out: [`4 ${goes('07', 1)}`, `16 ${goes('09', 2)}`],
  },
  {
    rfc: '4861 §8.3',
    what: 'a destination that is on the link need be no router',
    steps: [
      ...[ra(), SETTLE, redirects(FAR, FAR, { link: '07' }), SETTLE, send(FAR, 1), 10],
      ...[na(FAR, 'SO', { link: '07' }), SETTLE, send(FAR, 2), 10],
    ],
    out: [`4 ${goes('07', 1)}`, `16 ${goes('07', 2)}`],
  },
];

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
});
afterAll(() => tester.peer.end());

test.each(ROWS.map((row) => [row.rfc, row.what, row] as const))('RFC %s: %s', async (_rfc, _what, row) => {
  await tester.run({ steps: [restart, 5], out: [] });
  expect(await tester.run(row)).toEqual(row.out);
});
