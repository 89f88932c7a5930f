import { CONGESTION_PHASE } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { MachineEnd } from '../testing/machine-pair.ts';
import { FLAG, TIMER } from './connection.ts';

const { OPEN, DISORDER, RECOVERY, LOSS } = CONGESTION_PHASE;

/** An end that has `count` segments of 1000 octets in flight, the first at 1; `cwnd` is as many, and nothing more is there to be sent unless said. */
function flight(count: number, { flags = FLAG.SACK | FLAG.TIMESTAMPS, more = 0, cwnd = count } = {}): MachineEnd {
  const end = new MachineEnd(0, 0, { flags, mssBytes: (flags & FLAG.TIMESTAMPS) === 0 ? 1000 : 1012 });
  end.conn.congestion!.cwnd = cwnd;
  end.write(1000 * (count + more));
  end.takeSent();
  return end;
}

/** Segment k of such a flight begins there. */
const at = (k: number): number => 1 + 1000 * (k - 1);
/** It acknowledges up to before segment `k`, and SACKs these, each [from, to). */
function ack(end: MachineEnd, k: number, ...blocks: readonly (readonly [number, number])[]): number[] {
  end.take({ ack: at(k), sack: blocks.flatMap(([from, to]) => [at(from), at(to)]) });
  return segments(end);
}

/** Which segments it has sent, by number. */
function segments(end: MachineEnd): number[] {
  return end
    .takeSent()
    .flatMap(({ seq, lenBytes }) => Array.from({ length: Math.ceil(lenBytes / 1000) }, (_, i) => (seq - 1) / 1000 + 1 + i));
}

describe('RFC 6675 §5, by its words', () => {
  test('(1): the third duplicate begins a recovery; (4.2) the window is halved, (4.3) the first segment goes again', () => {
    const end = flight(10);
    const { conn } = end;
    expect([ack(end, 1, [2, 3]), conn.congestion!.phase]).toEqual([[], DISORDER]);
    expect([ack(end, 1, [2, 4]), conn.dupAcks]).toEqual([[], 2]);
    expect(ack(end, 1, [2, 5])).toEqual([1]);
    expect([conn.congestion!.phase, conn.congestion!.cwnd, conn.congestion!.ssthresh, conn.recoverSeq]).toEqual([RECOVERY, 5, 5, at(11)]);
  });

  test('§2: new SACK information counts, whatever else the segment says; what is known does not', () => {
    const end = flight(10);
    end.take({ ack: 1, sack: [at(2), at(3)], window: 50_000, lenBytes: 10 });
    ack(end, 1, [2, 3]);
    ack(end, 1);
    expect(end.conn.dupAcks).toBe(1);
    ack(end, 2, [3, 4]);
    expect(end.conn.dupAcks).toBe(1);
    ack(end, 4);
    expect([end.conn.dupAcks, end.conn.congestion!.phase, end.conn.scoreboard]).toEqual([0, OPEN, null]);
  });

  test('(2): IsLost of the first begins it, too: three ranges, or more than two segments, in one acknowledgement', () => {
    expect(ack(flight(10), 1, [2, 5])).toEqual([1]);
    expect(ack(flight(10), 1, [2, 3], [4, 5], [6, 7])[0]).toBe(1);
    expect(ack(flight(10), 1, [2, 4])).toEqual([]);
  });

  test('(3): limited transmit: unsent segments go as pipe lets them', () => {
    const end = flight(10, { more: 5 });
    expect(ack(end, 1, [2, 3])).toEqual([11]);
    expect(ack(end, 1, [2, 4])).toEqual([12]);
  });

  test('(C): while cwnd - pipe is a segment: NextSeg (1) lost ones, (2) new ones, (3) others', () => {
    const end = flight(10, { more: 1 });
    // 1 and 2 are lost, and 9, 10 are in flight: pipe 3 with 1 sent again; then 2.
    expect(ack(end, 1, [3, 9])).toEqual([1, 2, 11]);
    const other = flight(10);
    expect(ack(other, 1, [3, 7], [8, 9])).toEqual([1, 2]);
    // Nothing new is there: 7 is not lost by (1.c), and goes by (3).
    expect(ack(other, 1, [3, 7], [8, 11])).toEqual([7]);
  });

  test('(B), (A): a part that is acknowledged goes on; RecoveryPoint ends it, and nothing begins before it', () => {
    const end = flight(10);
    ack(end, 1, [4, 9]);
    expect(end.conn.congestion!.phase).toBe(RECOVERY);
    ack(end, 2, [4, 9]);
    expect(end.conn.congestion!.phase).toBe(RECOVERY);
    ack(end, 11);
    expect([end.conn.congestion!.phase, end.conn.congestion!.cwnd, end.conn.scoreboard]).toEqual([OPEN, 5, null]);
  });

  test('(4.3), NextSeg (4): a rescue when more than the first is acknowledged, once in a recovery', () => {
    const end = flight(10);
    // 1 is lost, and 9, 10.
    expect(ack(end, 1, [2, 9])).toEqual([1]);
    expect(ack(end, 9)).toEqual([10]);
    expect(ack(end, 9)).toEqual([]);
    expect(end.conn.scoreboard!.highRxt).toBe(at(9));
  });

  test('§5.1: a timeout: window of one, all that is not SACKed is lost; no recovery until RecoveryPoint', () => {
    const end = flight(10);
    ack(end, 1, [3, 4]);
    end.at(end.nextMs!);
    end.machine.onTimeout(end.conn);
    expect([segments(end), end.conn.congestion!.cwnd, end.conn.congestion!.phase]).toEqual([[1], 1, LOSS]);
    // Slow start by what was delivered, to ssthresh.
    expect(ack(end, 2, [3, 7])).toEqual([2, 7, 8, 9, 10]);
    expect([end.conn.congestion!.phase, end.conn.dupAcks]).toEqual([LOSS, 0]);
    ack(end, 11);
    expect(end.conn.congestion!.phase).toBe(OPEN);
  });

  test('RFC 2018 §8: what a receiver acknowledges up to, and not over, he has let go of: SACK is forgotten at the timeout', () => {
    const end = flight(10);
    ack(end, 1, [2, 4]);
    ack(end, 2);
    expect(end.conn.scoreboard!.isReneging).toBe(true);
    // As Linux, it is waited for half a round trip alone, and for 10 ms at least.
    expect(end.nextMs! - end.host.clock.nowMs).toBe(10);
    end.at(end.nextMs!);
    end.machine.onTimeout(end.conn);
    expect([segments(end), end.host.counters.reneging.value]).toEqual([[2], 1]);
    expect(ack(end, 3)).toEqual([3, 4]);
  });

  test('SACK of what was not sent, of nothing, of half the sequence space: not believed; D-SACK is none (RFC 2883 §4)', () => {
    const end = flight(10);
    const { conn } = end;
    for (const [left, right] of [
      [at(11), at(12)],
      [at(9), at(12)],
      [at(5), at(5)],
      [at(5), at(4)],
      [at(5), (at(5) + 0x7fffffff) | 0],
      [at(11), (at(11) + 0x7fffffff) | 0],
    ] as const)
      end.take({ ack: 1, sack: [left, right] });
    expect([conn.dupAcks, conn.congestion!.phase, conn.scoreboard]).toEqual([0, OPEN, null]);
    for (let i = 0; i < 50; i++) end.take({ ack: 1, sack: [-999, 1] });
    expect([conn.dupAcks, conn.congestion!.phase, end.host.counters['duplicate-sacks'].value]).toEqual([0, OPEN, 50]);
  });
});

describe('RFC 6582 (NewReno), and RFC 3042 without SACK', () => {
  const flags = FLAG.TIMESTAMPS;

  test('§3.2 (2), (3): third duplicate; each further one lets another new segment go', () => {
    const end = flight(10, { flags, more: 10 });
    // Limited transmit (RFC 3042): two, and no more.
    expect([ack(end, 1), ack(end, 1)]).toEqual([[11], [12]]);
    expect(ack(end, 1)).toEqual([1]);
    expect([end.conn.congestion!.cwnd, end.conn.recoverSeq]).toEqual([5, at(13)]);
    const later = Array.from({ length: 6 }, () => ack(end, 1).length);
    expect(later).toEqual([0, 0, 0, 0, 1, 1]);
  });

  test('§3.2 (5): a partial acknowledgement: what follows it goes again; a full one ends it at ssthresh, and counts as in Linux', () => {
    const end = flight(10, { flags });
    for (let i = 0; i < 3; i++) ack(end, 1);
    expect(ack(end, 4)).toEqual([4]);
    expect([end.conn.congestion!.phase, end.conn.dupAcks]).toEqual([RECOVERY, 1]);
    expect(ack(end, 6)).toEqual([6]);
    ack(end, 11);
    expect([end.conn.congestion!.phase, end.conn.congestion!.cwnd]).toEqual([OPEN, 6]);
  });

  test('§3.2 (1): duplicates at `recover` begin nothing: they may be of what was sent twice', () => {
    const end = flight(10, { flags, more: 10 });
    for (let i = 0; i < 3; i++) ack(end, 1);
    ack(end, 13);
    const { counters } = end.host;
    for (let i = 0; i < 5; i++) ack(end, 13);
    expect(counters['fast-recoveries'].value).toBe(1);
    ack(end, 14);
    for (let i = 0; i < 3; i++) ack(end, 14);
    expect(counters['fast-recoveries'].value).toBe(2);
  });

  test('RFC 5681 §2: data, another window, or nothing outstanding: no duplicate', () => {
    const end = flight(10, { flags });
    end.take({ ack: 1, lenBytes: 5 });
    end.take({ ack: 1, window: 50_000 });
    expect(end.conn.dupAcks).toBe(0);
    ack(end, 11);
    ack(end, 11);
    expect(end.conn.dupAcks).toBe(0);
  });

  test('a flood of duplicates counts for no more segments than there are', () => {
    const end = flight(10, { flags, more: 40 });
    for (let i = 0; i < 1000; i++) ack(end, 1);
    expect([end.conn.dupAcks, end.conn.sndNxt]).toEqual([50, at(51)]);
  });
});

describe('timeouts: RFC 6298 §5, RFC 5681 §3.1', () => {
  test('(5.1) to (5.3): it runs while something is outstanding, anew with each acknowledgement of new data', () => {
    const end = flight(2);
    const { conn } = end;
    expect([conn.timers & TIMER.RETRANSMIT, conn.retransmitAtMs]).toEqual([TIMER.RETRANSMIT, 2000]);
    end.at(1500);
    ack(end, 1);
    expect(conn.retransmitAtMs).toBe(2000);
    ack(end, 2);
    // The first round trip is 500 ms: RTO = 500 + 4 * 250.
    expect(conn.retransmitAtMs).toBe(3000);
    ack(end, 3);
    expect(conn.timers & TIMER.RETRANSMIT).toBe(0);
  });

  test('(5.4) to (5.6): the first goes again, the RTO doubles; Karn: no round trip of what went twice', () => {
    const end = flight(2, { flags: FLAG.SACK });
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      end.at(end.nextMs!);
      end.machine.onTimeout(end.conn);
      times.push(end.host.clock.nowMs);
      expect(segments(end)).toEqual([1]);
    }
    expect(times).toEqual([2000, 4000, 8000, 16_000]);
    end.at(16_010);
    ack(end, 3);
    expect([end.conn.roundTrip.srttUs, end.conn.roundTrip.backoff, end.conn.timeouts]).toEqual([0, 4, 0]);
  });

  test('a report begins the timer anew if it is of what was sent before the first went last, and not otherwise (as Linux)', () => {
    const end = flight(6, { flags: FLAG.SACK });
    end.at(1050);
    expect(ack(end, 1, [2, 5])).toEqual([1]);
    const first = end.nextMs!;
    end.at(1060);
    ack(end, 1, [2, 6]);
    // 60 ms for what was reported; the first went 10 ms ago.
    expect(end.nextMs!).toBeGreaterThan(first);
    const second = end.nextMs!;
    end.at(1150);
    ack(end, 1, [2, 7]);
    expect(end.nextMs!).toBeGreaterThan(second);
    const late = flight(4, { flags: FLAG.SACK, cwnd: 9 });
    late.at(1050);
    late.write(2000);
    late.takeSent();
    late.at(1100);
    const before = late.nextMs!;
    ack(late, 1, [5, 7]);
    expect([late.nextMs!, late.conn.roundTrip.srttUs]).toEqual([before, 50_000]);
  });

  test('tcp_retrans_collapse = 0: what went in segments of its own goes so again, and a FIN alone whatever the window', () => {
    const small = (retransCollapse: boolean): number[][] => {
      const end = new MachineEnd(0, 0, { flags: FLAG.SACK | FLAG.NO_DELAY, mssBytes: 1000, settings: { retransCollapse } });
      for (let i = 0; i < 2; i++) end.write(500);
      end.machine.close(end.conn);
      end.takeSent();
      end.at(end.nextMs!);
      end.machine.onTimeout(end.conn);
      const again = end.takeSent();
      end.take({ ack: 501 });
      return [...again, ...end.takeSent()].map(({ flags, seq, lenBytes }) => [seq, lenBytes, flags & TCP_FLAG.PSH, flags & TCP_FLAG.FIN]);
    };
    const { PSH, FIN } = TCP_FLAG;
    expect(small(false)).toEqual([
      [1, 500, PSH, 0],
      [501, 500, PSH, 0],
      [1001, 0, 0, FIN],
    ]);
    expect(small(true)[0]).toEqual([1, 1000, PSH, 0]);
    // Nothing but a FIN is sent beyond the window.
    const end = flight(3);
    end.machine.close(end.conn);
    end.takeSent();
    end.at(end.nextMs!);
    end.machine.onTimeout(end.conn);
    expect(segments(end)).toEqual([1]);
  });

  test('Karn: nor of what has waited behind it, which was measured when it was reported (as Linux)', () => {
    const end = flight(4, { flags: FLAG.SACK });
    end.at(1100);
    expect(ack(end, 1, [2, 5])).toEqual([1]);
    expect([end.conn.roundTrip.srttUs, end.nextMs]).toEqual([100_000, 1400]);
    end.at(1500);
    ack(end, 5);
    expect([end.conn.roundTrip.srttUs, end.conn.roundTrip.deviation4Us, end.conn.sndUna]).toEqual([100_000, 200_000, at(5)]);
  });

  test('ssthresh falls with the first timeout, not with the next, and again once there was progress (as Linux)', () => {
    const end = flight(20, { cwnd: 20 });
    const congestion = end.conn.congestion!;
    const expire = (): number[] => {
      end.at(end.nextMs!);
      end.machine.onTimeout(end.conn);
      end.takeSent();
      return [congestion.ssthresh, congestion.cwnd];
    };
    expect([expire(), expire()]).toEqual([
      [10, 1],
      [10, 1],
    ]);
    ack(end, 2);
    ack(end, 4);
    expect(congestion.cwnd).toBe(4);
    expect(expire()).toEqual([2, 1]);
  });

  test('`recover` follows: a loss after 3 GB without one is repaired fast', () => {
    for (const flags of [FLAG.SACK | FLAG.TIMESTAMPS, FLAG.TIMESTAMPS]) {
      const end = flight(0, { flags, cwnd: 10 });
      const { conn } = end;
      for (let i = 0; i < 3; i++) {
        // A gigabyte of one run.
        conn.sndWnd = 0x40000000;
        conn.writeSeq = conn.sndNxt = (conn.sndNxt + 0x3ffffff0) | 0;
        end.machine.begin(conn);
        end.take({ ack: conn.sndNxt });
      }
      end.write(10_000);
      end.takeSent();
      const first = conn.sndUna;
      for (let i = 1; i < 4; i++)
        end.take({ ack: first, sack: (flags & FLAG.SACK) === 0 ? [] : [first + 1000 * i, first + 1000 * (i + 1)] });
      expect(end.takeSent().map(({ seq }) => (seq - first) | 0)).toContain(0);
      expect(conn.congestion!.phase).toBe(RECOVERY);
    }
  });

  test('a way that is narrower (RFC 1191 §6.5): all goes again in smaller segments, and the window stays', () => {
    const end = flight(4, { cwnd: 10 });
    end.conn.mssBytes = 512;
    end.machine.segmentSizeChanged(end.conn, true);
    const sent = end.takeSent();
    expect(sent.map(({ seq, lenBytes }) => [seq, lenBytes])).toEqual(Array.from({ length: 8 }, (_, i) => [1 + 500 * i, 500]));
    expect([end.conn.congestion!.cwnd, end.conn.congestion!.ssthresh]).toEqual([10, 0x3fffffff]);
  });
});
