import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { EndOptions } from '../testing/machine-pair.ts';
import { MachineEnd } from '../testing/machine-pair.ts';
import { FLAG, TIMER } from './connection.ts';

const { ACK, URG } = TCP_FLAG;

/** Theirs are 1 on, in segments of 1000; not in the quick mode of a beginning. */
function ours(options: EndOptions = {}): MachineEnd {
  const end = new MachineEnd(0, 0, options);
  end.conn.ackPolicy.atoUs = 40_000;
  end.host.bufferBytes = 1_000_000;
  return end;
}
/** [ack, ...SACK edges] of what it has sent. */
function acks(end: MachineEnd): number[][] {
  return end.takeSent().map(({ ack, sack }) => [ack, ...sack]);
}

describe('when it is acknowledged (RFC 5681 §4.2, RFC 1122 §4.2.3.2)', () => {
  test('every second full segment at once, one alone after a while, and with data that go', () => {
    const end = ours();
    end.take({ lenBytes: 1000 });
    expect([acks(end), end.conn.timers]).toEqual([[], TIMER.DELACK]);
    end.take({ seq: 1001, lenBytes: 1000 });
    expect([acks(end), end.conn.timers]).toEqual([[[2001]], 0]);
    end.take({ seq: 2001, lenBytes: 1000 });
    end.at(end.nextMs!);
    expect(end.host.clock.nowMs).toBe(1040);
    end.machine.onTimeout(end.conn);
    expect(acks(end)).toEqual([[3001]]);
    end.take({ seq: 3001, lenBytes: 10 });
    end.write(10);
    expect([acks(end), end.conn.timers & TIMER.DELACK]).toEqual([[[3011]], 0]);
  });

  test('the first ones of a connection at once; TCP_QUICKACK keeps it so', () => {
    const end = new MachineEnd(0, 0);
    for (let i = 0; i < 20; i++) end.take({ lenBytes: 100 });
    expect(acks(end).length).toBe(16);
    end.conn.flags |= FLAG.QUICK_ALWAYS;
    end.take({ lenBytes: 100 });
    expect(acks(end).length).toBe(1);
  });

  test('data that are sent long after what came are no answer to it: quick ones stay quick', () => {
    const end = new MachineEnd(0, 0);
    end.take({ lenBytes: 100 });
    end.at(2000);
    end.write(10);
    expect(end.conn.ackPolicy.isInteractive).toBe(false);
    end.take({ lenBytes: 100, ack: 11 });
    end.at(2010);
    end.write(10);
    expect(end.conn.ackPolicy.isInteractive).toBe(true);
  });

  test.each([
    [true, 10, [[10_001]]],
    [false, 10, [[2001], [4001], [6001], [8001], [10_001]]],
    [false, 3, [[2001]]],
    [false, 1, []],
  ])('a frame that was merged, tcp.ack_merged %s, of %d segments (RFC 2525 §2.13)', (ackMerged, segments, expected) => {
    const end = ours({ settings: { ackMerged } });
    end.take({ lenBytes: 1000 * segments, segments });
    expect(acks(end)).toEqual(expected);
    expect(end.host.deliveredSeq).toBe(1 + 1000 * segments);
    if (segments % 2 === 1) expect(end.conn.timers & TIMER.DELACK).toBe(TIMER.DELACK);
  });

  test('one that waited counts as the first of the merged ones; out of order there is a duplicate for each', () => {
    const end = ours({ settings: { ackMerged: false } });
    end.take({ lenBytes: 1000 });
    end.take({ seq: 1001, lenBytes: 4000, segments: 4 });
    expect(acks(end)).toEqual([[2001], [4001]]);
    end.take({ seq: 10_001, lenBytes: 3000, segments: 3 });
    expect(acks(end).map(([ack]) => ack)).toEqual([5001, 5001, 5001]);
  });

  test('a user who ends it at one of these acknowledgements: the frame is nobody’s', () => {
    const end = ours({ settings: { ackMerged: false } });
    const transmit = end.host.transmit.bind(end.host);
    end.host.transmit = (conn, ...rest) => {
      end.machine.abort(conn, 0);
      return transmit(conn, ...rest);
    };
    end.take({ lenBytes: 4000, segments: 4 });
    expect([end.host.deliveredSeq, end.host.kept, end.conn.timers]).toEqual([1, 0, 0]);
  });
});

describe('out of order and twice (RFC 9293 §3.10.7.4, RFC 2018 §4, RFC 2883 §4)', () => {
  test('told at once, the newest first; what fills a hole too; nothing is kept when all is in order', () => {
    const end = ours();
    end.take({ seq: 2001, lenBytes: 1000 });
    end.take({ seq: 4001, lenBytes: 1000 });
    expect(acks(end)).toEqual([
      [1, 2001, 3001],
      [1, 4001, 5001, 2001, 3001],
    ]);
    end.take({ seq: 1, lenBytes: 2000 });
    expect(acks(end)).toEqual([[3001, 4001, 5001]]);
    end.take({ seq: 3001, lenBytes: 1000 });
    expect([acks(end), end.host.deliveredSeq, end.conn.disorder, end.host.kept]).toEqual([[[5001]], 5001, null, 0]);
  });

  test.each<[string, number, number, number[]]>([
    ['below RCV.NXT', 1001, 1000, [3001, 1001, 2001]],
    ['a part below', 2001, 2000, [4001, 2001, 3001]],
  ])('D-SACK: %s; and nothing is kept behind it', (_, seq, lenBytes, expected) => {
    const end = ours();
    end.take({ lenBytes: 3000 });
    end.takeSent();
    end.take({ seq, lenBytes });
    if (end.conn.timers !== 0) end.machine.ackNow(end.conn);
    expect(acks(end)).toEqual([expected]);
    end.take({ lenBytes: 1000 });
    expect(end.conn.disorder).toBe(null);
  });

  test('D-SACK of what is there already above, with the run it lies in', () => {
    const end = ours();
    end.take({ seq: 2001, lenBytes: 2000 });
    end.takeSent();
    end.take({ seq: 2001, lenBytes: 1000 });
    expect(acks(end)).toEqual([[1, 2001, 3001, 2001, 4001]]);
  });

  test('what reaches over the window is taken up to its end', () => {
    const end = ours();
    end.conn.rcvWnd = 1500;
    end.conn.windowSlowStart = 1500;
    end.take({ lenBytes: 3000 });
    expect([end.conn.rcvNxt, end.host.deliveredSeq]).toEqual([1501, 1501]);
  });

  test('what cannot be handed over for want of memory comes with the next segment', () => {
    const end = ours();
    end.take({ seq: 1001, lenBytes: 1000 });
    end.host.deliverPiece = () => false;
    end.take({ seq: 1, lenBytes: 1000 });
    expect([end.conn.rcvNxt, end.host.kept]).toEqual([1001, 1]);
    Reflect.deleteProperty(end.host, 'deliverPiece');
    end.take({ seq: 1001, lenBytes: 1500 });
    expect([end.conn.rcvNxt, end.host.deliveredSeq, end.host.kept]).toEqual([2501, 2501, 0]);
  });
});

describe('windows (RFC 9293 §3.8.6, RFC 1122 §4.2.3.3)', () => {
  test('while memory is short it does not grow, and who has not read half of his buffer lets four segments come', () => {
    const end = ours();
    const { conn, host } = end;
    conn.windowSlowStart = 20_000;
    host.isShort = true;
    end.take({ seq: 1, lenBytes: 1000 });
    expect(conn.windowSlowStart).toBe(20_000);
    host.unreadBytes = 600_000;
    end.take({ seq: 1001, lenBytes: 1000 });
    expect(conn.windowSlowStart).toBe(4 * conn.toldMssBytes);
    host.isShort = false;
    host.unreadBytes = 0;
    end.take({ seq: 2001, lenBytes: 1000 });
    expect(conn.windowSlowStart).toBe(6 * conn.toldMssBytes);
  });

  test('shut when the buffer is full; told anew when the user has read enough', () => {
    const end = ours();
    end.host.bufferBytes = 20_000;
    end.conn.rcvWnd = 10_000;
    for (let i = 0; i < 40; i++) {
      end.take({ lenBytes: 1000 });
      end.machine.ackNow(end.conn);
    }
    expect(end.takeSent().at(-1)!.window).toBe(0);
    end.read();
    expect(end.takeSent().at(-1)!.window).toBe(10_000);
  });

  test('where the user does not read, and no window would open, it is acknowledged a little later, or when he reads; as Linux', () => {
    const end = ours();
    end.host.bufferBytes = 100_000;
    end.take({ lenBytes: 1000 });
    end.take({ lenBytes: 1000 });
    expect([acks(end), end.conn.timers]).toEqual([[], TIMER.DELACK]);
    end.read();
    expect([acks(end), end.conn.timers]).toEqual([[[2001]], 0]);
  });

  test('it does not shrink, whatever happens to the buffer', () => {
    const end = ours();
    end.machine.ackNow(end.conn);
    end.host.bufferBytes = 4000;
    end.take({ lenBytes: 1000 });
    end.machine.ackNow(end.conn);
    const [before, after] = end.takeSent();
    expect(after!.ack + after!.window).toBeGreaterThanOrEqual(before!.ack + before!.window);
  });

  test('the buffer grows when more is read in a round trip than came unasked before, and no sooner', () => {
    const end = ours();
    const { conn } = end;
    conn.roundTrip.sample(10_000, 1, 1);
    const read = (bytes: number): number => {
      end.host.unreadBytes = bytes;
      end.read();
      end.at(end.host.clock.nowMs + 10);
      return conn.receiveBufferBytes;
    };
    expect([read(100), read(100), read(5000), read(10_000)]).toEqual([131072, 131072, 131072, 131072]);
    expect(read(60_000)).toBeGreaterThan(131072);
  });
});

describe('urgent (RFC 9293 §3.8.5, RFC 6093; as Linux)', () => {
  const u = (urgentPointer: number, more = {}): object => ({ flags: ACK | URG, urgentPointer, ...more });
  test.each<[string, boolean, object, number | null]>([
    ['the pointer is behind the octet', false, u(5), 6],
    ['tcp_stdurg: it is at it', true, u(5), 7],
    ['0: it is at the first', false, u(0), 2],
    ['of what is there already', false, u(1, { seq: 0 }), null],
    ['over the wrap of its field', false, u(65535), 65536],
    ['without URG', false, { urgentPointer: 5 }, null],
  ])('%s', (_, stdurg, flying, up) => {
    const end = ours({ settings: { stdurg } });
    end.take(flying);
    expect((end.conn.flags & FLAG.URGENT_RECEIVED) === 0 ? null : end.conn.rcvUp).toBe(up);
  });

  test('none of what is there and unread', () => {
    const end = ours();
    end.take({ lenBytes: 10 });
    end.take(u(10, { seq: 1 }));
    expect(end.conn.flags & FLAG.URGENT_RECEIVED).toBe(0);
    end.take(u(11, { seq: 1 }));
    expect(end.conn.rcvUp).toBe(12);
  });

  test('a later one takes its place, an earlier one does not; none behind a FIN', () => {
    const end = ours();
    end.take(u(50));
    end.take(u(20));
    expect(end.conn.rcvUp).toBe(51);
    end.take(u(70));
    expect(end.conn.rcvUp).toBe(71);
    end.take({ flags: ACK | TCP_FLAG.FIN });
    end.take(u(90));
    expect(end.conn.rcvUp).toBe(71);
  });
});
