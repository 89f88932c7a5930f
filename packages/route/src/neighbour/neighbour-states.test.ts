import type { Neighbour } from '@softnet/contract';
import { NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, SKB_FLAG } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { bootNeighbours, FAMILY } from '../testing/fake-neighbours.ts';

const { OVERRIDE: O, SOLICITED: S, IS_ROUTER: R, CREATE: C, ANSWER: A } = NEIGHBOUR_UPDATE;
type State = keyof typeof NEIGHBOUR_STATE;
type Net = ReturnType<typeof bootNeighbours>;

const OLD = 1;
const NEW = 2;
const ADDRESS = [0, 0, 0xffff, 7] as const;
const NOTHING = new Uint8Array(0);

/** Brings neighbour 7 into a state; its link address ends in OLD, where one is known. */
function bring(net: Net, state: State): Neighbour {
  const neighbour = net.find(7)!;
  const send = (): number => neighbour.output(neighbour, net.kernel.packet(1));
  const isByHand = state === 'NOARP' || state === 'PERMANENT';
  if (state === 'INCOMPLETE' || state === 'FAILED') send();
  else if (isByHand) net.core.set(net.device, FAMILY, ADDRESS, Uint8Array.of(2, 0, 0, 0, 0, OLD), NEIGHBOUR_STATE[state]);
  else if (state !== 'NONE') net.learn(7, OLD, state === 'REACHABLE' ? S | O : O);
  if (state === 'DELAY' || state === 'PROBE') send();
  if (state === 'PROBE') net.kernel.advance(5000);
  if (state === 'FAILED') net.kernel.advance(3000);
  expect(nameOf(neighbour)).toBe(state);
  net.kernel.sent.length = 0;
  net.protocol.asked.length = 0;
  return neighbour;
}

function nameOf({ state }: Neighbour): string {
  return Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === state)![0];
}

/** State, and whose link address it has: none, the old or the new one. */
function said(net: Net, neighbour: Neighbour): string {
  if (!net.core.entries(FAMILY).includes(neighbour)) return 'gone';
  return `${nameOf(neighbour)}/${['-', 'o', 'n'][neighbour.linkAddress[5]!]}`;
}

const byHand = (state: State) => (net: Net) =>
  net.core.set(net.device, FAMILY, ADDRESS, Uint8Array.of(2, 0, 0, 0, 0, NEW), NEIGHBOUR_STATE[state]);

const EVENTS: Readonly<Record<string, (net: Net, neighbour: Neighbour) => unknown>> = {
  packet: (net, it) => it.output(it, net.kernel.packet(9)),
  confirm: (net, it) => net.core.confirm(it),
  NA: (net) => net.learn(7, NEW, 0),
  'NA-O': (net) => net.learn(7, NEW, O),
  'NA-S': (net) => net.learn(7, NEW, S),
  'NA-SO': (net) => net.learn(7, NEW, S | O),
  'NA-A': (net) => net.learn(7, NEW, O | A),
  'NA-SO-A': (net) => net.learn(7, NEW, S | O | A),
  'NA-same': (net) => net.learn(7, OLD, 0),
  'NA-same-O': (net) => net.learn(7, OLD, O),
  'NA-same-S': (net) => net.learn(7, OLD, S),
  'NA-same-SO': (net) => net.learn(7, OLD, S | O),
  'NA-none': (net) => net.core.learn(net.device, FAMILY, ...ADDRESS, NOTHING, -1, 0),
  'NA-none-S': (net) => net.core.learn(net.device, FAMILY, ...ADDRESS, NOTHING, -1, S | O),
  NS: (net) => net.learn(7, NEW, C | O),
  'NS-same': (net) => net.learn(7, OLD, C | O),
  time: (net, { state }) => net.kernel.advance({ 2: 30_000, 8: 5000 }[state] ?? 3000),
  permanent: byHand('PERMANENT'),
  noarp: byHand('NOARP'),
  reachable: byHand('REACHABLE'),
  stale: byHand('STALE'),
  remove: (net) => net.core.remove(net.device, FAMILY, ADDRESS),
  flush: (net) => net.core.flush(net.device),
  down: (net) => net.core.deviceGone(net.device),
  'link-up': (net) => net.core.linkUp(net.device),
};

/**
 * RFC 4861, appendix C, with Linux's FAILED, NOARP and PERMANENT: all states and all events. Advertisements (NA; S: solicited, O: override; A: only for who is asked for or known)
 * and solicitations (NS) name another link address than the one that is known, or the same; `=` is unchanged. Where a packet waits
 * (INCOMPLETE) it is sent at once, so that STALE is DELAY. NA on REACHABLE goes by §7.2.5 in words, against the table of the appendix.
 */
const TABLE = `
event       NONE         INCOMPLETE   REACHABLE    STALE        DELAY        PROBE        FAILED       NOARP        PERMANENT
packet      INCOMPLETE/- =            =            DELAY/o      =            =            INCOMPLETE/- =            =
confirm     =            =            =            REACHABLE/o  REACHABLE/o  REACHABLE/o  =            =            =
NA          STALE/n      DELAY/n      STALE/o      =            =            =            STALE/n      =            =
NA-O        STALE/n      DELAY/n      STALE/n      STALE/n      STALE/n      STALE/n      STALE/n      =            =
NA-S        REACHABLE/n  REACHABLE/n  STALE/o      =            =            =            REACHABLE/n  =            =
NA-SO       REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  =            =
NA-A        =            DELAY/n      STALE/n      STALE/n      STALE/n      STALE/n      =            =            =
NA-SO-A     =            REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  =            =            =
NA-same     STALE/o      DELAY/o      =            =            =            =            STALE/o      =            =
NA-same-O   STALE/o      DELAY/o      =            =            =            =            STALE/o      =            =
NA-same-S   REACHABLE/o  REACHABLE/o  =            REACHABLE/o  REACHABLE/o  REACHABLE/o  REACHABLE/o  =            =
NA-same-SO  REACHABLE/o  REACHABLE/o  =            REACHABLE/o  REACHABLE/o  REACHABLE/o  REACHABLE/o  =            =
NA-none     =            =            =            =            =            =            =            =            =
NA-none-S   =            =            =            REACHABLE/o  REACHABLE/o  REACHABLE/o  =            =            =
NS          STALE/n      DELAY/n      STALE/n      STALE/n      STALE/n      STALE/n      STALE/n      =            =
NS-same     STALE/o      DELAY/o      =            =            =            =            STALE/o      =            =
time        =            FAILED/-     STALE/o      =            PROBE/o      FAILED/-     =            =            =
permanent   PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n  PERMANENT/n
noarp       NOARP/n      NOARP/n      NOARP/n      NOARP/n      NOARP/n      NOARP/n      NOARP/n      NOARP/n      NOARP/n
reachable   REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n  REACHABLE/n
stale       STALE/n      DELAY/n      STALE/n      STALE/n      STALE/n      STALE/n      STALE/n      STALE/n      STALE/n
remove      gone         gone         gone         gone         gone         gone         gone         gone         gone
flush       gone         gone         gone         gone         gone         gone         gone         gone         =
down        gone         gone         gone         gone         gone         gone         gone         gone         gone
link-up     =            =            =            =            =            =            =            =            =
`
  .trim()
  .split('\n')
  .map((line) => line.split(/ +/));

describe('RFC 4861, appendix C', () => {
  const [[, ...states], ...rows] = TABLE as [string[], ...string[][]];
  test('each event, each state', () => {
    expect([rows.map(([event]) => event), [...states].sort()]).toEqual([Object.keys(EVENTS), Object.keys(NEIGHBOUR_STATE).sort()]);
  });

  const cells = rows.flatMap(([event, ...after]) => after.map((to, at) => [event!, states[at] as State, to] as const));
  test.each(cells)('%s in %s: %s', (event, state, to) => {
    const net = bootNeighbours();
    const neighbour = bring(net, state);
    const before = said(net, neighbour);
    EVENTS[event]!(net, neighbour);
    expect(said(net, neighbour)).toBe(to === '=' ? before : to);
    // Timers run where a state ends by itself, and only there.
    const isTimed = ['INCOMPLETE', 'REACHABLE', 'DELAY', 'PROBE'].includes(nameOf(neighbour));
    expect(neighbour.timer?.armed ?? false).toBe(isTimed);
    expect(neighbour.queue.lenPackets > 0).toBe(neighbour.state === NEIGHBOUR_STATE.INCOMPLETE);
    net.core.close();
    expect(net.kernel.pool.idle).toBe(true);
    expect(net.kernel.timers.filter(({ armed }) => armed)).toEqual([]);
  });

  test('of several answers the first counts for a while, where that is set; announcements always do', () => {
    const net = bootNeighbours({ locktime: 100 });
    const neighbour = bring(net, 'REACHABLE');
    net.kernel.advance(999);
    net.learn(7, NEW, S | O);
    expect(said(net, neighbour)).toBe('REACHABLE/o');
    net.learn(7, NEW, O);
    expect(said(net, neighbour)).toBe('STALE/n');
    net.learn(7, OLD, S | O);
    net.kernel.advance(1000);
    net.learn(7, NEW, S | O);
    expect(said(net, neighbour)).toBe('REACHABLE/n');
  });

  test.each([0, 0.25, 0.999])(
    'how long it counts as reachable is drawn by lot, half to one and a half of the base: %f (§6.3.2)',
    (fraction) => {
      const net = bootNeighbours({}, fraction);
      const neighbour = bring(net, 'REACHABLE');
      const forMs = Math.round(30_000 * (0.5 + fraction));
      net.kernel.advance(forMs - 1);
      expect(nameOf(neighbour)).toBe('REACHABLE');
      net.kernel.advance(1);
      expect(nameOf(neighbour)).toBe('STALE');
    },
  );

  test('who was asked in vain while a link was down is asked at once when it is up, and as often as before', () => {
    const net = bootNeighbours();
    const neighbour = bring(net, 'INCOMPLETE');
    net.kernel.advance(2500);
    net.core.linkUp(net.device);
    net.kernel.advance(2999);
    expect([nameOf(neighbour), net.protocol.asked.slice(2)]).toEqual([
      'INCOMPLETE',
      [2500, 3500, 4500].map((at) => `multicast at ${at} for 1`),
    ]);
    net.kernel.advance(1);
    expect(nameOf(neighbour)).toBe('FAILED');
  });

  test('a protocol that knows better says the times of a device', () => {
    const net = bootNeighbours();
    net.protocol.reachable = 1000;
    net.protocol.retrans = 10;
    const neighbour = bring(net, 'REACHABLE');
    net.kernel.advance(1000);
    expect(nameOf(neighbour)).toBe('STALE');
    const other = net.find(8)!;
    other.output(other, net.kernel.packet(1));
    net.kernel.advance(30);
    expect(nameOf(other)).toBe('FAILED');
  });

  test('no entry: a solicitation makes one, stale; an advertisement does not', () => {
    const net = bootNeighbours();
    net.learn(7, NEW, O | S);
    expect(net.core.entries(2)).toEqual([]);
    net.learn(7, NEW, C | O);
    expect(net.core.entries(2).map(nameOf)).toEqual(['STALE']);
  });

  test('asked three times, a second apart; then its packets are refused, and the next packet asks again', () => {
    const net = bootNeighbours();
    const neighbour = net.find(7)!;
    for (const byte of [1, 2]) neighbour.output(neighbour, net.kernel.packet(byte));
    net.kernel.advance(2999);
    expect(net.protocol.asked).toEqual(['multicast at 0 for 1', 'multicast at 1000 for 1', 'multicast at 2000 for 1']);
    expect(nameOf(neighbour)).toBe('INCOMPLETE');
    net.kernel.advance(1);
    expect([nameOf(neighbour), net.protocol.failures]).toEqual(['FAILED', 2]);
    neighbour.output(neighbour, net.kernel.packet(3));
    expect([nameOf(neighbour), net.protocol.asked.at(-1)]).toEqual(['INCOMPLETE', 'multicast at 3000 for 3']);
    net.learn(7, NEW, S);
    expect(net.kernel.sent).toEqual(['3 to 2 by eth0']);
  });

  test('probed three times by unicast, a second apart, while packets go on; then it has failed', () => {
    const net = bootNeighbours();
    const neighbour = bring(net, 'PROBE');
    neighbour.output(neighbour, net.kernel.packet(5));
    net.kernel.advance(2999);
    expect(nameOf(neighbour)).toBe('PROBE');
    expect(net.kernel.sent).toEqual(['5 to 1 by eth0']);
    net.kernel.advance(1);
    expect([nameOf(neighbour), net.protocol.asked]).toEqual(['FAILED', ['unicast at 6000', 'unicast at 7000']]);
  });

  test('reachable as long as it is confirmed, which costs no timer', () => {
    const net = bootNeighbours();
    const neighbour = bring(net, 'REACHABLE');
    for (let i = 0; i < 6; i++) {
      net.kernel.advance(20_000);
      const skb = net.kernel.packet(i);
      skb.flags = SKB_FLAG.CONFIRM_NEIGHBOUR;
      neighbour.output(neighbour, skb);
      expect(nameOf(neighbour)).toBe('REACHABLE');
    }
    net.kernel.advance(29_999);
    expect(nameOf(neighbour)).toBe('REACHABLE');
    net.kernel.advance(1);
    expect([nameOf(neighbour), net.protocol.asked]).toEqual(['STALE', []]);
  });

  test('says whether it is a router; a solicitation does not', () => {
    const net = bootNeighbours();
    const neighbour = net.find(7)!;
    net.learn(7, NEW, S | R);
    net.learn(7, NEW, C | O);
    expect(neighbour.isRouter).toBe(true);
    net.learn(7, NEW, S);
    expect(neighbour.isRouter).toBe(false);
  });
});
