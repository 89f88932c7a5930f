import { afterAll, beforeAll, expect, test } from 'vitest';
import { fragment } from '../raw-peer.ts';
import type { Row, Step } from './tester.ts';
import { begin, echo, forget, HOST, HOST_LINK, na, ns, ra, raw, send, Tester } from './tester.ts';

const PEER = 'fd00::9';
const ASKS = 'NS fd00::1 > ff02::1:ff00:9 fd00::9 s=01';
const ANSWERS = 'NA SO fd00::1 > fd00::9@09 fd00::1 t=01';
const PROBES = `NS ${HOST_LINK} > fd00::9@09 fd00::9 s=01`;

const neigh =
  (name: string, value: number): Step =>
  ({ peer }) =>
    peer.host.kernel.sysctl.set(`net.ipv6.neigh.eth0.${name}`, value);
/** It was reachable, and is not known to be so any more. */
const stale: Step[] = [
  send(PEER, 1),
  5,
  na(PEER, 'SO'),
  5,
  ns('fd00::9', {}),
  6000,
  na(PEER, 'SO'),
  5,
  na(PEER, '', { link: '0f' }),
  5,
  begin,
];

const ROWS: readonly Row[] = [
  {
    rfc: '4861 §7.2.2',
    what: 'asks three times, a second apart, to the solicited-node group, with its link address',
    steps: [send(PEER), 9000],
    out: [`0 ${ASKS}`, `1000 ${ASKS}`, `2000 ${ASKS}`],
  },
  {
    rfc: '4861 §7.2.2',
    what: 'what waits goes out when the answer comes, in order',
    steps: [send(PEER, 1), send(PEER, 2), send(PEER, 3), 1500, na(PEER, 'SO'), 4000],
    out: [`0 ${ASKS}`, `1000 ${ASKS}`, ...[1, 2, 3].map((n) => `1500 UDP fd00::1 > fd00::9@09 ${n}`)],
  },
  {
    rfc: '4861 §7.2.2',
    what: 'when too much waits the oldest goes',
    steps: [neigh('unres_qlen', 3), ...[1, 2, 3, 4, 5].map((n) => send(PEER, n)), 10, na(PEER, 'SO'), 10, neigh('unres_qlen', 101)],
    out: [`0 ${ASKS}`, ...[3, 4, 5].map((n) => `10 UDP fd00::1 > fd00::9@09 ${n}`)],
  },
  {
    rfc: '4861 §7.2.2',
    what: 'who does not answer is asked anew for the next packet, and what waited before is not sent',
    steps: [send(PEER, 1), 3500, send(PEER, 2), 100, na(PEER, 'SO'), 10],
    out: [`0 ${ASKS}`, `1000 ${ASKS}`, `2000 ${ASKS}`, `3500 ${ASKS}`, '3600 UDP fd00::1 > fd00::9@09 2'],
  },
  {
    rfc: '4861 §7.2.2',
    what: 'by the source of what waits: a link-local one',
    steps: [echo('fe80::9', 7, HOST_LINK), 10, na('fe80::9', 'S', { dst: HOST_LINK }), 10],
    out: [`0 NS ${HOST_LINK} > ff02::1:ff00:9 fe80::9 s=01`, `10 ECHO ${HOST_LINK} > fe80::9@09 7`],
  },
  {
    rfc: '4861 §7.2.2',
    what: 'each neighbour by itself',
    steps: [send('fd00::1:9', 1), send(PEER, 2), 10, na(PEER, 'SO'), 1500],
    out: [
      '0 NS fd00::1 > ff02::1:ff01:9 fd00::1:9 s=01',
      `0 ${ASKS}`,
      '10 UDP fd00::1 > fd00::9@09 2',
      '1000 NS fd00::1 > ff02::1:ff01:9 fd00::1:9 s=01',
    ],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'at the retransmission time that routers say',
    steps: [ra({ retransMs: 400, lifetimeS: 0 }), 1, begin, send(PEER), 3000, ra({ retransMs: 1000, lifetimeS: 0 }), 1],
    out: [`0 ${ASKS}`, `400 ${ASKS}`, `800 ${ASKS}`],
  },
  {
    rfc: '4861 §6.3.4',
    what: 'a retransmission time of 0 says nothing',
    steps: [ra({ retransMs: 0, lifetimeS: 0 }), 1, begin, send(PEER), 1500],
    out: [`0 ${ASKS}`, `1000 ${ASKS}`],
  },
  { rfc: '4861 §7.2.4', what: 'answers, solicited and overriding', steps: [ns(PEER), 10], out: [`0 ${ANSWERS}`] },
  { rfc: '4861 §7.2.4', what: 'the same to a question by unicast', steps: [ns(PEER, { dst: HOST }), 10], out: [`0 ${ANSWERS}`] },
  {
    rfc: '4861 §7.2.4',
    what: 'to all nodes, not solicited, if nobody asks by name',
    steps: [ns('::'), 10],
    out: ['0 NA O fd00::1 > ff02::1 fd00::1 t=01'],
  },
  {
    rfc: '4861 §7.2.3',
    what: 'who asks without his link address is asked for it first',
    steps: [ns(PEER, { dst: HOST, link: null }), 500, na(PEER, 'SO'), 10],
    out: [`0 NS ${HOST} > ff02::1:ff00:9 fd00::9 s=01`, `500 ${ANSWERS}`],
  },
  {
    rfc: '4861 §7.2.3',
    what: 'who has another link address now is answered there',
    steps: [ns(PEER), 10, ns(PEER, { link: '0b' }), 10],
    out: [`0 ${ANSWERS}`, '10 NA SO fd00::1 > fd00::9@0b fd00::1 t=01'],
  },
  {
    rfc: '4861 §7.2.4',
    what: 'for its link-local address',
    steps: [ns('fe80::9', {}, HOST_LINK), 10],
    out: [`0 NA SO ${HOST_LINK} > fe80::9@09 ${HOST_LINK} t=01`],
  },
  {
    rfc: '4861 §7.2.4',
    what: 'of another scope than who asks: the source is the target',
    steps: [ns('fe80::9'), 10],
    out: ['0 NA SO fd00::1 > fe80::9@09 fd00::1 t=01'],
  },
  { rfc: '4861 §7.1.1', what: 'sent to all nodes, by somebody: sound', steps: [ns(PEER, { dst: 'ff02::1' }), 10], out: [`0 ${ANSWERS}`] },
  {
    rfc: '4861 §4.3',
    what: 'reserved bits say nothing',
    steps: [raw(135, 0xffffffff, HOST, '0101020000000009'), 10],
    out: [`0 ${ANSWERS}`],
  },
  {
    rfc: '4861 §7.1.1',
    what: 'options that belong to other messages, and unknown ones, say nothing',
    steps: [raw(135, 0, HOST, `fd01000000000000${'0202'}${'00'.repeat(14)}05010000000000000101020000000009`), 10],
    out: [`0 ${ANSWERS}`],
  },
  {
    rfc: '4861 §7.1.2',
    what: 'an advertisement with a source link address, and none of its target: nobody is known by it',
    steps: [send(PEER, 1), 10, raw(136, 0x60000000, PEER, '0101020000000009'), 1500],
    out: [`0 ${ASKS}`, `1000 ${ASKS}`],
  },
  {
    rfc: '4861 §4.4',
    what: 'reserved bits of an advertisement say nothing',
    steps: [send(PEER, 1), 10, raw(136, 0x7fffffff, PEER, '0201020000000009'), 10],
    out: [`0 ${ASKS}`, '10 UDP fd00::1 > fd00::9@09 1'],
  },
  {
    rfc: '4861 §7.3.3',
    what: 'one that is stale is used at once, and asked by unicast after 5 s, three times, a second apart; then it is asked for anew',
    steps: [...stale, send(PEER, 1), 7500, send(PEER, 2), 1000, send(PEER, 3), 10],
    out: [
      '0 UDP fd00::1 > fd00::9@09 1',
      `5000 ${PROBES}`,
      `6000 ${PROBES}`,
      `7000 ${PROBES}`,
      '7500 UDP fd00::1 > fd00::9@09 2',
      `8500 ${ASKS}`,
    ],
  },
  {
    rfc: '4861 §7.3.3',
    what: 'an answer to the second question ends it',
    steps: [...stale, send(PEER, 1), 6100, na(PEER, 'S', { link: null }), 4000, send(PEER, 2), 100],
    out: ['0 UDP fd00::1 > fd00::9@09 1', `5000 ${PROBES}`, `6000 ${PROBES}`, '10100 UDP fd00::1 > fd00::9@09 2'],
  },
  {
    rfc: '4861 §7.3.3',
    what: 'one that is not used is not asked',
    steps: [...stale, 100_000],
    out: [],
  },
  {
    rfc: '4861 §7.3.1',
    what: 'an advertisement that was not asked for is no proof that it hears us',
    steps: [...stale, send(PEER, 1), 100, na(PEER, 'O'), 5000],
    out: ['0 UDP fd00::1 > fd00::9@09 1', `5000 ${PROBES}`],
  },
  {
    rfc: '4861 §6.3.2',
    what: 'reachable for half to one and a half of what routers say',
    steps: [
      ra({ reachableMs: 10_000, lifetimeS: 0 }),
      send(PEER, 1),
      10,
      na(PEER, 'SO'),
      10,
      begin,
      4900,
      send(PEER, 2),
      10_200,
      send(PEER, 3),
      7500,
    ],
    out: ['4900 UDP fd00::1 > fd00::9@09 2', '15100 UDP fd00::1 > fd00::9@09 3', `20100 ${PROBES}`, `21100 ${PROBES}`, `22100 ${PROBES}`],
  },
  {
    rfc: '4861 §7.2.5',
    what: 'an advertisement of who is not known makes nobody known',
    steps: [na(PEER, 'SO', { dst: HOST }), 10, begin, send(PEER, 1), 10],
    out: [`0 ${ASKS}`],
  },
  ...[0, 1].map(
    (more): Row => ({
      rfc: '6980 §5',
      what: `a sound solicitation is not answered behind a fragment header, ${more ? 'nor by its first fragment' : 'though it is whole'}`,
      steps: [raw(135, 0, HOST, '0101020000000009', { headers: [fragment(0, more !== 0)] }), 10],
      out: [],
    }),
  ),
];

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
});
afterAll(() => tester.peer.end());

test.each(ROWS.map((row) => [row.rfc, row.what, row] as const))('RFC %s: %s', async (_rfc, _what, row) => {
  await tester.run({ steps: [forget], out: [] });
  expect(await tester.run(row)).toEqual(row.out);
});
