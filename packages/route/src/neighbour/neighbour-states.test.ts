import type { Neighbour } from '@softnet/contract';
import { NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, SKB_FLAG } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { bootNeighbours } from '../testing/fake-neighbours.ts';

const { OVERRIDE: O, SOLICITED: S, IS_ROUTER: R, CREATE: C } = NEIGHBOUR_UPDATE;
const ALL = ['INCOMPLETE', 'REACHABLE', 'STALE', 'DELAY', 'PROBE'] as const;
type State = (typeof ALL)[number];
type Net = ReturnType<typeof bootNeighbours>;

const OLD = 1;
const NEW = 2;

/** Brings neighbour 7 into a state; its link address ends in OLD. */
function bring(net: Net, state: State): Neighbour {
  const neighbour = net.find(7)!;
  const send = (byte: number): number => neighbour.output(neighbour, net.kernel.packet(byte));
  if (state === 'INCOMPLETE') send(1);
  else net.learn(7, OLD, state === 'REACHABLE' ? S | O : O);
  if (state === 'DELAY' || state === 'PROBE') send(1);
  if (state === 'PROBE') net.kernel.advance(5000);
  expect(nameOf(neighbour)).toBe(state);
  net.kernel.sent.length = 0;
  net.protocol.asked.length = 0;
  return neighbour;
}

function nameOf({ state }: Neighbour): string {
  return Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === state)![0];
}

/** Rows of RFC 4861, appendix C: event, states before, state after (null: as before), last byte of the link address after. */
const rows: readonly [
  event: string,
  does: (net: Net, neighbour: Neighbour) => void,
  from: readonly State[],
  to: State | null,
  mac: number,
][] = [
  ['NA, unsolicited, any override', (net) => net.learn(7, NEW, 0), ['INCOMPLETE'], 'STALE', NEW],
  ['NA, unsolicited, override', (net) => net.learn(7, NEW, O), ['INCOMPLETE'], 'STALE', NEW],
  ['NA, solicited', (net) => net.learn(7, NEW, S), ['INCOMPLETE'], 'REACHABLE', NEW],
  ['NA, solicited, override', (net) => net.learn(7, NEW, S | O), ['INCOMPLETE'], 'REACHABLE', NEW],
  ['NA, solicited, same address', (net) => net.learn(7, OLD, S), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], 'REACHABLE', OLD],
  ['NA, solicited, another address', (net) => net.learn(7, NEW, S), ['REACHABLE'], 'STALE', OLD],
  ['NA, solicited, another address', (net) => net.learn(7, NEW, S), ['STALE', 'DELAY', 'PROBE'], null, OLD],
  ['NA, solicited, override, another', (net) => net.learn(7, NEW, S | O), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], 'REACHABLE', NEW],
  ['NA, unsolicited, same address', (net) => net.learn(7, OLD, 0), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], null, OLD],
  // §7.2.5 in words, against the table of the appendix, which says "unchanged".
  ['NA, unsolicited, another address', (net) => net.learn(7, NEW, 0), ['REACHABLE'], 'STALE', OLD],
  ['NA, unsolicited, override, same', (net) => net.learn(7, OLD, O), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], null, OLD],
  ['NA, unsolicited, override, another', (net) => net.learn(7, NEW, O), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], 'STALE', NEW],
  ['upper layers confirm', (net, it) => net.core.confirm(it), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], 'REACHABLE', OLD],
  ['upper layers confirm', (net, it) => net.core.confirm(it), ['INCOMPLETE'], null, 0],
  ['NS with another address', (net) => net.learn(7, NEW, C | O), ['INCOMPLETE', 'REACHABLE', 'STALE', 'DELAY', 'PROBE'], 'STALE', NEW],
  ['NS with the same address', (net) => net.learn(7, OLD, C | O), ['REACHABLE', 'STALE', 'DELAY', 'PROBE'], null, OLD],
  ['30 s without a word', (net) => net.kernel.advance(30_000), ['REACHABLE'], 'STALE', OLD],
  ['a packet is sent', (net, it) => void it.output(it, net.kernel.packet(9)), ['STALE'], 'DELAY', OLD],
  ['a packet is sent', (net, it) => void it.output(it, net.kernel.packet(9)), ['REACHABLE', 'DELAY', 'PROBE'], null, OLD],
  ['5 s pass', (net) => net.kernel.advance(5000), ['DELAY'], 'PROBE', OLD],
];

describe('RFC 4861, appendix C', () => {
  for (const [event, does, from, to, mac] of rows) {
    test.each(from)(`${event}: %s → ${to ?? 'the same'}, link address ${mac}`, (state) => {
      const net = bootNeighbours();
      const neighbour = bring(net, state);
      does(net, neighbour);
      expect([nameOf(neighbour), neighbour.linkAddress[5]]).toEqual([
        // What waited is sent at once, and so the neighbour is not only stale.
        state === 'INCOMPLETE' && to === 'STALE' ? 'DELAY' : (to ?? state),
        mac,
      ]);
      net.core.close();
      expect(net.kernel.pool.idle).toBe(true);
      expect(net.kernel.timers.filter(({ armed }) => armed)).toEqual([]);
    });
  }

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
