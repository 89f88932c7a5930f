import { TCP_FLAG } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MachinePair } from '../testing/machine-pair.ts';
import { FLAG } from './connection.ts';
import { TCP_STATE } from './state.ts';

const MINUTE = 60_000;

describe('two machines and a wire', () => {
  test('octets both ways, nothing is left over', () => {
    const pair = new MachinePair();
    pair.a.write(100_000);
    pair.b.write(50_000);
    expect(pair.run(MINUTE)).toBe(true);
    expect(pair.b.host.deliveredSeq).toBe(pair.a.conn.writeSeq);
    expect(pair.a.host.deliveredSeq).toBe(pair.b.conn.writeSeq);
    expect([pair.a.conn.sentFirst, pair.a.conn.scoreboard, pair.b.conn.disorder]).toEqual([null, null, null]);
    expect(pair.nowMs).toBeLessThan(1400);
  });

  test.each([
    ['with SACK and timestamps', FLAG.SACK | FLAG.TIMESTAMPS],
    ['without SACK', FLAG.TIMESTAMPS],
    ['with neither', 0],
  ])('whatever is lost, doubled or delayed, all octets arrive in order, and both close: %s', (_, flags) => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(5000), fc.integer({ min: 0, max: 15 }), fc.nat(), (bytes, back, lossPercent, seed) => {
        const pair = new MachinePair({ flags });
        let random = seed | 1;
        const draw = (bound: number): number => {
          random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
          return (random >>> 8) % bound;
        };
        pair.fate = () => {
          if (draw(100) < lossPercent) return [];
          const delay = 5 + draw(40);
          return draw(100) < 5 ? [delay, delay + draw(100)] : [delay];
        };
        pair.a.write(bytes);
        pair.b.write(back);
        pair.a.machine.close(pair.a.conn);
        pair.run(120 * MINUTE);
        pair.b.machine.close(pair.b.conn);
        pair.run(240 * MINUTE);
        const label = `${bytes} ${back} ${lossPercent} ${seed}`;
        expect(`${label} ${(pair.b.host.deliveredSeq - pair.a.conn.writeSeq) | 0}`).toBe(`${label} 0`);
        expect(`${label} ${(pair.a.host.deliveredSeq - pair.b.conn.writeSeq) | 0}`).toBe(`${label} 0`);
        expect(pair.a.host.ended?.state).toBe(TCP_STATE.TIME_WAIT);
        // Its last acknowledgement may be lost for good: nobody answers for a TIME-WAIT here.
        expect(`${label} ${JSON.stringify(pair.b.host.ended)} ${pair.nowMs}`).toMatch(/(null|"state":0\}) \d+$/);
        for (const { conn, host } of [pair.a, pair.b]) {
          expect(host.kept).toBe(0);
          if (host.ended !== null) expect([conn.sentFirst, conn.scoreboard, conn.disorder, conn.timers]).toEqual([null, null, null, 0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a shut window is probed, and opens', () => {
    const pair = new MachinePair();
    pair.a.write(300_000);
    pair.run(20_000, false);
    expect(pair.b.conn.rcvWnd).toBe(0);
    expect(pair.a.host.counters['zero-window-probes'].value).toBeGreaterThan(2);
    pair.b.read();
    expect(pair.run(10 * MINUTE)).toBe(true);
    expect(pair.b.host.deliveredSeq).toBe(pair.a.conn.writeSeq);
  });

  test('nobody answers: it ends by time', () => {
    const pair = new MachinePair();
    pair.fate = () => [];
    pair.a.write(1000);
    pair.run(30 * MINUTE);
    expect(pair.a.host.ended).toEqual({ errno: 110, state: TCP_STATE.CLOSED });
    expect(pair.nowMs).toBeGreaterThan(900_000);
  });

  test('a small segment waits while another is in flight (Nagle), a corked one 200 ms', () => {
    const { a } = new MachinePair();
    a.write(10);
    a.write(10);
    expect(a.takeSent().map(({ lenBytes }) => lenBytes)).toEqual([10]);
    a.take({ ack: a.conn.sndNxt });
    expect(a.takeSent().map(({ lenBytes, flags }) => [lenBytes, flags & TCP_FLAG.PSH])).toEqual([[10, TCP_FLAG.PSH]]);
    a.take({ ack: a.conn.sndNxt });
    a.conn.flags |= FLAG.CORK;
    a.write(10);
    expect(a.takeSent()).toEqual([]);
    a.at(a.nextMs!);
    a.machine.onTimeout(a.conn);
    expect(a.takeSent().map(({ lenBytes }) => lenBytes)).toEqual([10]);
  });
});
