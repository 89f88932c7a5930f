import { SOCK_FLAG } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { EndOptions } from '../testing/machine-pair.ts';
import { MachineEnd } from '../testing/machine-pair.ts';
import { extraOf, FLAG, TIMER } from './connection.ts';
import { TCP_STATE } from './state.ts';
import { backoffMs } from './timeouts.ts';

const { ACK, FIN, RST } = TCP_FLAG;
const DAY = 86_400_000;

const ours = (options: EndOptions = {}): MachineEnd => new MachineEnd(0, 0, options);

/** Time goes on until nothing runs or it has ended; the peer answers as said. @returns when each segment went, s. */
function live(end: MachineEnd, answer: (end: MachineEnd) => void = () => {}, untilMs = DAY): number[] {
  const times: number[] = [];
  while (end.nextMs !== null && end.nextMs <= untilMs) {
    end.at(end.nextMs);
    end.machine.onTimeout(end.conn);
    if (end.takeSent().length === 0) continue;
    times.push(end.host.clock.nowMs / 1000);
    if (end.host.ended === null) answer(end);
  }
  return times;
}

describe('how long it is tried (RFC 1122 §4.2.3.5, RFC 5482)', () => {
  test('tcp_retries2: 924.6 s from the first retransmission on, and ETIMEDOUT; the way is doubted behind tcp_retries1', () => {
    const end = ours();
    let doubts = 0;
    end.host.doubtRoute = () => doubts++;
    end.write(10);
    end.takeSent();
    const times = live(end);
    expect(times.slice(0, 4)).toEqual([2, 4, 8, 16]);
    expect(end.host.ended).toEqual({ errno: 110, state: TCP_STATE.CLOSED });
    expect(end.host.clock.nowMs).toBeGreaterThan(2000 + 924_600);
    expect(doubts).toBe(times.length - 2);
  });

  test.each([
    [15, 200, 924_600],
    [8, 200, 102_200],
    [0, 200, 200],
  ])('%d times with %d ms', (retries, least, ms) => expect(backoffMs(retries, least)).toBe(ms));

  test('TCP_USER_TIMEOUT ends it to the ms, whatever the RTO is; what ICMP said is told', () => {
    const end = ours();
    extraOf(end.conn).userTimeoutMs = 7000;
    end.host.softError = () => 113;
    end.write(10);
    live(end);
    expect([end.host.ended?.errno, end.host.clock.nowMs]).toEqual([113, 9000]);
  });

  test.each([
    [0, 8],
    [3, 3],
  ])('nobody is there (tcp_orphan_retries %d)', (orphanRetries, retries) => {
    const end = ours({ settings: { orphanRetries } });
    end.write(10);
    end.machine.closeByUser(end.conn, 0, false);
    live(end);
    expect(end.host.ended?.errno).toBe(110);
    expect(end.host.clock.nowMs - 2000).toBeGreaterThanOrEqual(backoffMs(retries, 200));
    expect(end.host.clock.nowMs).toBeLessThan(300_000);
  });

  test.each([
    [TCP_STATE.SYN_SENT, TCP_FLAG.SYN, [2, 4, 8, 16, 32, 64]],
    [TCP_STATE.SYN_RECEIVED, TCP_FLAG.SYN | ACK, [2, 4, 8, 16, 32]],
  ])('SYN and SYN-ACK, with the window that they said first: state %d', (state, flags, expected) => {
    const end = ours();
    end.conn.sock.state = state;
    end.conn.sndUna = end.conn.iss;
    end.machine.begin(end.conn);
    end.conn.rcvWnd = 12_345;
    const seen: number[] = [];
    const transmit = end.host.transmit.bind(end.host);
    end.host.transmit = (conn, which, seq, lenBytes) => {
      seen.push(which, conn.rcvWnd);
      return transmit(conn, which, seq, lenBytes);
    };
    expect(live(end)).toEqual(expected);
    expect(new Set(seen)).toEqual(new Set([flags, 12_345]));
    expect(end.host.ended?.errno).toBe(110);
  });

  test('RFC 6298 (5.7): the SYN went twice, and no round trip is known: 3 s; twice again: a window of one (RFC 5681 §3.1)', () => {
    const end = ours();
    end.conn.timeouts = 2;
    end.machine.established(end.conn);
    expect([end.conn.roundTrip.timeoutUs, end.conn.congestion!.cwnd]).toEqual([3_000_000, 1]);
  });
});

describe('a shut window (RFC 9293 §3.8.6.1, RFC 1122 §4.2.2.17)', () => {
  const shut = (end: MachineEnd): void => void end.take({ window: 0 });

  test('who answers may keep it shut for ever (MUST-37); probes are doubled up to 120 s', () => {
    const end = ours();
    shut(end);
    end.write(10);
    const times = live(end, shut, DAY);
    expect(end.host.ended).toBe(null);
    expect(times.slice(0, 5)).toEqual([2, 4, 8, 16, 32]);
    expect(times.at(-1)! - times.at(-2)!).toBe(120);
  });

  test('who does not answer is given up after tcp_retries2 probes', () => {
    const end = ours();
    shut(end);
    end.write(10);
    expect(live(end).length).toBe(15);
    expect(end.host.ended?.errno).toBe(110);
  });

  test('TCP_USER_TIMEOUT counts although he answers; nobody’s connection ends when the RTO does not grow any more', () => {
    const end = ours();
    extraOf(end.conn).userTimeoutMs = 30_000;
    shut(end);
    end.write(10);
    live(end, shut);
    expect(end.host.ended?.errno).toBe(110);
    expect(end.host.clock.nowMs).toBe(32_000);
    const orphan = ours();
    shut(orphan);
    orphan.write(10);
    orphan.machine.closeByUser(orphan.conn, 0, false);
    live(orphan, shut);
    expect(orphan.host.ended?.errno).toBe(110);
  });

  test('taken back with data in flight: the first is tried, the window of congestion stays, and all goes when it opens', () => {
    const end = ours();
    end.write(5000);
    end.takeSent();
    end.take({ window: 0, lenBytes: 1 });
    end.takeSent();
    expect(live(end, (each) => void each.take({ window: 0 }), 2 * DAY).length).toBeGreaterThan(100);
    expect([end.host.ended, end.conn.congestion!.cwnd]).toEqual([null, 10]);
    end.take({ ack: 1001, window: 60_000 });
    expect(end.takeSent().map(({ seq }) => seq)).toEqual([1001, 2001, 3001, 4001]);
  });

  test('data that a user lets go while it is probed have a timer of their own', () => {
    const end = ours();
    const transmit = end.host.transmit.bind(end.host);
    end.host.failing = true;
    end.write(10);
    let calls = 0;
    end.host.transmit = (conn, flags, seq, lenBytes) => {
      if (++calls === 1) return false;
      end.host.failing = false;
      if (calls === 2) end.machine.push(conn);
      return transmit(conn, flags, seq, lenBytes);
    };
    end.at(end.nextMs!);
    end.machine.onTimeout(end.conn);
    expect([calls, end.conn.sndNxt, end.conn.timers]).toEqual([3, 11, TIMER.RETRANSMIT]);
  });

  test('a window that opens behind a lost update is found by the probe', () => {
    const end = ours();
    shut(end);
    end.write(10);
    live(end, (each) => void each.take({ window: 100 }), 3000);
    expect([end.conn.sndNxt, end.conn.timers]).toEqual([11, TIMER.RETRANSMIT]);
  });
});

describe('keepalive (RFC 1122 §4.2.3.6)', () => {
  function kept(): MachineEnd {
    const end = ours({ settings: { keepaliveTime: 100, keepaliveIntvl: 10, keepaliveProbes: 3 } });
    end.conn.sock.flags |= SOCK_FLAG.KEEPALIVE;
    end.machine.keepaliveChanged(end.conn);
    return end;
  }

  test('after tcp_keepalive_time, each tcp_keepalive_intvl; then a reset', () => {
    const end = kept();
    const probes: number[][] = [];
    const transmit = end.host.transmit.bind(end.host);
    end.host.transmit = (conn, flags, seq, lenBytes) => {
      probes.push([flags, seq, lenBytes]);
      return transmit(conn, flags, seq, lenBytes);
    };
    end.host.reset = (_conn, flags, seq) => {
      end.host.sent.push({ flags: flags | RST, seq, ack: 0, lenBytes: 0, window: 0, tsVal: 0, tsEcr: 0, sack: [] });
    };
    expect(live(end)).toEqual([101, 111, 121, 131]);
    expect(probes).toEqual([0, 1, 2].map(() => [ACK, 0, 0]));
    expect(end.host.ended?.errno).toBe(110);
  });

  test('who answers lives; blind segments from outside of the window are no answer', () => {
    const end = kept();
    expect(live(end, (each) => void each.take({}), 400_000)).toEqual([101, 201, 301]);
    expect(end.host.ended).toBe(null);
    live(end, (each) => void each.take({ seq: -5000 }));
    expect(end.host.ended?.errno).toBe(110);
  });

  test('over the wrap of the clock', () => {
    const end = kept();
    end.at(0x7fffffff - 50_000);
    end.take({});
    end.takeSent();
    end.machine.keepaliveChanged(end.conn);
    const due = end.nextMs!;
    expect((due - end.host.clock.nowMs) | 0).toBe(100_000);
    end.at(due);
    end.machine.onTimeout(end.conn);
    expect(end.takeSent().length).toBe(1);
    expect((end.nextMs! - due) | 0).toBe(10_000);
  });

  test('TCP_USER_TIMEOUT instead of the number of probes; none while data are under way', () => {
    const end = kept();
    extraOf(end.conn).userTimeoutMs = 115_000;
    live(end);
    expect(end.host.clock.nowMs).toBe(121_000);
    const other = kept();
    other.write(10);
    other.takeSent();
    expect(live(other, () => {}, 200_000).every((at) => [2, 4, 8, 16, 32, 64, 128].includes(at))).toBe(true);
  });
});

test('FIN-WAIT-2 of who has closed ends (tcp_fin_timeout), also where their FIN came before its data', () => {
  const end = ours();
  end.machine.closeByUser(end.conn, 0, false);
  end.take({ ack: 2, seq: 11, flags: ACK | FIN });
  expect([end.conn.sock.state, end.conn.timers & TIMER.CLOSE, end.conn.flags & FLAG.OVER]).toEqual([TCP_STATE.FIN_WAIT_2, TIMER.CLOSE, 0]);
  live(end);
  expect([end.host.ended?.state, end.host.clock.nowMs]).toEqual([TCP_STATE.FIN_WAIT_2, 61_000]);
});
