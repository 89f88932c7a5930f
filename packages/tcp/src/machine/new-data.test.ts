import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { EndOptions } from '../testing/machine-pair.ts';
import { MachineEnd } from '../testing/machine-pair.ts';
import { FLAG, TIMER } from './connection.ts';
import { rtoMs } from './send-space.ts';
import { TCP_STATE } from './state.ts';

const { ACK, FIN, PSH } = TCP_FLAG;

/** Segments of 1000 octets; ours are 1 on. */
const ours = (options: EndOptions = {}): MachineEnd => new MachineEnd(0, 0, options);
/** [seq, lenBytes] of what it has sent; a FIN is one more. */
function sent(end: MachineEnd): number[][] {
  return end.takeSent().map(({ flags, seq, lenBytes }) => [seq, lenBytes + (flags & FIN)]);
}
/** Its next timer ends. */
function wait(end: MachineEnd): void {
  end.at(end.nextMs!);
  end.machine.onTimeout(end.conn);
}
function total(end: MachineEnd): number {
  return sent(end).reduce((sum, [, lenBytes]) => sum + lenBytes!, 0);
}

describe('as much as congestion and the peer let go', () => {
  test('the initial window is ten segments (RFC 6928); slow start doubles it (RFC 5681 §3.1)', () => {
    const end = ours();
    end.conn.sndWnd = 1_000_000;
    end.write(200_000);
    expect(total(end)).toBe(10_000);
    end.take({ ack: 10_001, window: 65_000 });
    expect(total(end)).toBe(20_000);
  });

  test('cwnd does not grow while it is not used (RFC 7661 §4.3)', () => {
    const end = ours();
    for (let i = 0; i < 50; i++) {
      end.write(1000);
      end.take({ ack: end.conn.sndNxt });
    }
    expect(end.conn.congestion!.cwnd).toBe(10);
  });

  test('after silence it starts anew (RFC 5681 §4.1): halved for each RTO, down to the first window', () => {
    const end = ours();
    end.conn.congestion!.cwnd = 100;
    end.at(2500);
    end.write(1000);
    expect([end.conn.congestion!.cwnd, end.conn.congestion!.ssthresh]).toEqual([50, 0x3fffffff]);
    const other = ours({ settings: { slowStartAfterIdle: false } });
    other.conn.congestion!.cwnd = 100;
    other.at(100_000);
    other.write(1000);
    expect(other.conn.congestion!.cwnd).toBe(100);
  });

  test('tcp_limit_output_bytes: with more below nothing follows the first two, until that has left (Linux)', () => {
    const end = ours({ settings: { limitOutputBytes: 5000 } });
    end.conn.belowBytes = 5001;
    for (let i = 0; i < 4; i++) end.write(1000);
    expect([total(end), end.conn.flags & FLAG.THROTTLED]).toEqual([2000, FLAG.THROTTLED]);
    end.conn.belowBytes = 5000;
    end.machine.push(end.conn);
    expect(total(end)).toBe(2000);
    // What goes again may have twice as much before it.
    end.conn.belowBytes = 10_001;
    wait(end);
    expect(sent(end)).toEqual([]);
    end.conn.belowBytes = 10_000;
    end.machine.push(end.conn);
    expect(sent(end)).toEqual([[1, 1000]]);
  });

  test('a segment is sent even with a window of less than one', () => {
    const end = ours();
    end.conn.congestion!.cwnd = 1;
    end.write(5000);
    expect(sent(end)).toEqual([[1, 1000]]);
  });
});

describe('silly windows, Nagle, cork (RFC 1122 §4.2.3.4, RFC 9293 §3.7.4)', () => {
  test('a window of less than a segment is left alone, and filled by the persist timer', () => {
    const end = ours();
    end.conn.sndWnd = 100;
    end.write(5000);
    expect([sent(end), end.conn.timers]).toEqual([[], TIMER.PERSIST]);
    wait(end);
    expect(sent(end)).toEqual([[1, 100]]);
  });

  test('a FIN behind the data does not make it less silly', () => {
    const end = ours();
    end.conn.sndWnd = 100;
    end.write(5000);
    end.machine.close(end.conn);
    expect(sent(end)).toEqual([]);
  });

  test('Minshall: a small one waits for a small one in flight, not for full ones; TCP_NODELAY for none', () => {
    const end = ours();
    end.write(2000);
    end.write(10);
    end.write(10);
    expect(sent(end)).toEqual([
      [1, 1000],
      [1001, 1000],
      [2001, 10],
    ]);
    end.take({ ack: 2001 });
    expect(sent(end)).toEqual([]);
    end.conn.flags |= FLAG.NO_DELAY;
    end.machine.push(end.conn);
    expect(sent(end)).toEqual([[2011, 10]]);
  });

  test('that a small one was sent 3 GB ago holds none back', () => {
    const end = ours();
    const { conn } = end;
    end.write(10);
    end.take({ ack: conn.sndNxt });
    for (let i = 0; i < 3; i++) {
      conn.writeSeq = conn.sndNxt = (conn.sndNxt + 0x3ffffff0) | 0;
      end.machine.begin(conn);
      end.take({ ack: conn.sndNxt });
    }
    end.takeSent();
    end.write(10);
    expect(end.takeSent().length).toBe(1);
  });

  test('what is corked goes after an RTO, however many segments come meanwhile; a close uncorks', () => {
    const end = ours();
    end.conn.flags |= FLAG.CORK;
    end.write(10);
    const due = end.nextMs!;
    for (let ms = 1000; ms < due; ms += 50) {
      end.at(ms);
      end.take({ lenBytes: 10 });
    }
    expect(end.takeSent().filter(({ lenBytes }) => lenBytes > 0)).toEqual([]);
    expect(due).toBe(1000 + rtoMs(end.conn));
    end.at(due);
    end.machine.onTimeout(end.conn);
    expect(end.takeSent().filter(({ lenBytes }) => lenBytes > 0).length).toBe(1);
    end.write(10);
    end.machine.close(end.conn);
    expect(sent(end)).toEqual([[11, 11]]);
  });

  test('nothing was written: nothing is sent, and no timer runs', () => {
    const end = ours();
    end.write(0);
    end.machine.push(end.conn);
    expect([sent(end), end.conn.timers]).toEqual([[], 0]);
  });
});

describe('the FIN', () => {
  test('rides on the last data, however small they are (Nagle is not for it), with PSH', () => {
    const end = ours();
    end.write(10);
    end.write(10);
    end.takeSent();
    end.machine.close(end.conn);
    expect(end.takeSent().map(({ flags, seq, lenBytes }) => [flags, seq, lenBytes])).toEqual([[ACK | PSH | FIN, 11, 10]]);
  });

  test('behind a shut window it waits, is guarded, and goes when the window opens', () => {
    const end = ours();
    end.conn.sndWnd = 10;
    end.write(10);
    end.machine.close(end.conn);
    expect(sent(end)).toEqual([[1, 10]]);
    end.take({ ack: 11, window: 0 });
    expect(end.conn.timers).toBe(TIMER.PERSIST);
    wait(end);
    expect(sent(end)).toEqual([[10, 0]]);
    end.take({ ack: 11, window: 100 });
    expect([sent(end), end.conn.timers]).toEqual([[[11, 1]], TIMER.RETRANSMIT]);
  });

  test('congestion does not hold it', () => {
    const end = ours();
    end.conn.congestion!.cwnd = 1;
    end.write(1000);
    end.conn.flags |= FLAG.NO_DELAY;
    end.machine.close(end.conn);
    expect(sent(end)).toEqual([
      [1, 1000],
      [1001, 1],
    ]);
  });
});

describe('what cannot be sent (memory, no route) waits for a timer, and is sent then', () => {
  test.each<[string, (end: MachineEnd) => void, number, number[][]]>([
    ['data', (end) => end.write(10), TIMER.PERSIST, [[1, 10]]],
    ['a FIN', (end) => end.machine.close(end.conn), TIMER.PERSIST, [[1, 1]]],
    ['an acknowledgement', (end) => end.machine.ackNow(end.conn), TIMER.DELACK, [[1, 0]]],
  ])('%s', (_, act, timers, later) => {
    const end = ours();
    end.host.failing = true;
    act(end);
    expect([sent(end), end.conn.timers, end.conn.sndNxt, end.conn.sentFirst]).toEqual([[], timers, 1, null]);
    end.host.failing = false;
    wait(end);
    expect(sent(end)).toEqual(later);
  });

  test('in the middle of a window, and what is sent again', () => {
    const end = ours();
    end.write(3000);
    end.host.failing = true;
    end.write(3000);
    expect([end.conn.sndNxt, end.conn.timers]).toEqual([3001, TIMER.RETRANSMIT]);
    wait(end);
    end.host.failing = false;
    sent(end);
    wait(end);
    expect(sent(end)).toEqual([[1, 1000]]);
    end.take({ ack: 3001 });
    expect(total(end)).toBeGreaterThan(0);
  });

  test('the window that a lost segment would have told is not told', () => {
    const end = ours();
    Object.assign(end.conn, { rcvWnd: 1000, windowClamp: 64_000 });
    end.host.failing = true;
    end.machine.ackNow(end.conn);
    expect(end.conn.rcvWnd).toBe(1000);
    end.host.failing = false;
    end.machine.ackNow(end.conn);
    expect(end.conn.rcvWnd).toBe(64_000);
  });
});

test('urgent data (RFC 9293 §3.8.5): Nagle is not for them, and a shut window lets it be known', () => {
  const end = ours();
  end.write(10);
  end.conn.writeSeq += 10;
  end.conn.sndUp = end.conn.writeSeq;
  end.conn.flags |= FLAG.URGENT_SENT;
  end.machine.push(end.conn);
  expect(sent(end)).toEqual([
    [1, 10],
    [11, 10],
  ]);
  end.take({ ack: 21, window: 0 });
  expect(end.conn.flags & FLAG.URGENT_SENT).toBe(0);
  end.conn.writeSeq += 10;
  end.conn.sndUp = end.conn.writeSeq;
  end.conn.flags |= FLAG.URGENT_SENT;
  end.machine.push(end.conn);
  wait(end);
  expect(sent(end)).toEqual([
    [21, 0],
    [20, 0],
  ]);
});

test('a user who gives more whenever something leaves is seen by the loop that sends: no call within a call, and all goes once', () => {
  const end = ours();
  let left = 20;
  const transmit = end.host.transmit.bind(end.host);
  end.host.transmit = (conn, flags, seq, lenBytes) => {
    const went = transmit(conn, flags, seq, lenBytes);
    if (left-- > 0) end.write(100);
    return went;
  };
  end.conn.flags |= FLAG.NO_DELAY;
  end.conn.congestion!.cwnd = 100;
  end.write(100);
  expect(sent(end)).toEqual(Array.from({ length: 21 }, (_, i) => [1 + 100 * i, 100]));
});

test('a user who ends it while it sends: nothing follows, nothing is left', () => {
  const end = ours();
  const transmit = end.host.transmit.bind(end.host);
  end.host.transmit = (conn, flags, seq, lenBytes) => {
    transmit(conn, flags, seq, lenBytes);
    end.machine.abort(conn, 0);
    return true;
  };
  end.write(30_000);
  expect([end.conn.sock.state, end.conn.timers, end.conn.sentFirst]).toEqual([TCP_STATE.CLOSED, 0, null]);
});
