import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { FlyingSegment } from '../testing/machine-pair.ts';
import { MachineEnd } from '../testing/machine-pair.ts';
import { FLAG, TIMER } from './connection.ts';
import { TCP_STATE } from './state.ts';

const { ACK, FIN, RST, SYN, PSH } = TCP_FLAG;
const { SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT, CLOSED } = TCP_STATE;
/** Ours are 101 on, theirs 501 on; windows of 64,000 both ways. */
const ours = (): MachineEnd => new MachineEnd(100, 500);

function opening(): MachineEnd {
  const end = ours();
  end.conn.sock.state = SYN_RECEIVED;
  end.conn.sndUna = 100;
  end.machine.begin(end.conn);
  return end;
}

/** [flags, seq, ack, lenBytes] of what it has sent. */
function sent(end: MachineEnd): number[][] {
  return end.takeSent().map(({ flags, seq, ack, lenBytes }) => [flags, seq, ack, lenBytes]);
}

const ANSWER = [ACK, 101, 501, 0];

describe('first to fourth, in a synchronized state: sequence number, RST, SYN (RFC 9293 §3.10.7.4, RFC 5961)', () => {
  test.each<[string, Partial<FlyingSegment>, string | null, number[][]]>([
    ['data at RCV.NXT', { lenBytes: 10 }, null, [[ACK, 101, 511, 0]]],
    ['data before the window', { seq: 401, lenBytes: 100 }, 'tcp.duplicate', [ANSWER]],
    ['data from before on into it', { seq: 401, lenBytes: 110 }, null, [[ACK, 101, 511, 0]]],
    ['an acknowledgement from before the window', { seq: 400 }, 'tcp.window', [ANSWER]],
    ['an acknowledgement at the end of the window: as Linux', { seq: 64501 }, null, []],
    ['an acknowledgement behind the window', { seq: 64502 }, 'tcp.window', [ANSWER]],
    ['data at the end of the window', { seq: 64501, lenBytes: 1 }, 'tcp.window', [ANSWER]],
    ['a keepalive with an octet of garbage', { seq: 500, lenBytes: 1 }, 'tcp.duplicate', [ANSWER]],
    ['RST before the window (5961 §3.2)', { flags: RST, seq: 400 }, 'tcp.window', []],
    ['RST in the window (5961 §3.2: a challenge)', { flags: RST, seq: 502 }, 'tcp.reset', [ANSWER]],
    ['SYN in the window (5961 §4.2: a challenge)', { flags: SYN, seq: 502 }, 'tcp.syn', [ANSWER]],
    ['SYN outside of it (5961 §4.2)', { flags: SYN, seq: -1000 }, 'tcp.window', [ANSWER]],
    ['SYN-ACK, as of a simultaneous open that is over', { flags: SYN | ACK, seq: 500 }, 'tcp.syn', [ANSWER]],
    ['neither ACK, RST nor SYN', { flags: PSH, lenBytes: 10 }, 'tcp.no-ack', []],
    ['ACK of what was not sent (5961 §5.2)', { ack: 102, lenBytes: 10 }, 'tcp.ack', [ANSWER]],
    ['ACK that is older than the largest window (5961 §5.2)', { ack: 101 - 64001, lenBytes: 10 }, 'tcp.ack', [ANSWER]],
    ['ACK that is old', { ack: 100, lenBytes: 10 }, null, [[ACK, 101, 511, 0]]],
  ])('%s', (_, flying, fault, answers) => {
    const end = ours();
    end.conn.ackPolicy.quick = 16;
    expect([end.take(flying), sent(end)]).toEqual([fault, answers]);
    expect(end.conn.sock.state).toBe(ESTABLISHED);
  });

  test.each([
    ['at RCV.NXT', 501],
    ['behind what was SACKed last', 711],
  ])('RST %s counts (5961 §3.2, 9293 MUST)', (_, seq) => {
    const end = ours();
    end.take({ seq: 701, lenBytes: 10 });
    end.take({ flags: RST, seq });
    expect(end.host.ended).toEqual({ errno: 104, state: CLOSED });
  });

  test('with the window shut, ACK and RST at RCV.NXT count, and data are answered', () => {
    const end = ours();
    Object.assign(end.conn, { rcvWnd: 0, windowSlowStart: 0 });
    end.write(10);
    end.takeSent();
    expect(end.take({ ack: 111 })).toBe(null);
    expect(end.conn.sndUna).toBe(111);
    expect(end.take({ lenBytes: 1 })).toBe('tcp.window');
    expect(sent(end)).toEqual([[ACK, 111, 501, 0]]);
    end.take({ flags: RST });
    expect(end.host.ended?.errno).toBe(104);
  });

  test('challenges are few: one in tcp_invalid_ratelimit, and as many as the host lets (5961 §7)', () => {
    const end = ours();
    const times: number[] = [];
    for (let ms = 1000; ms < 3000; ms += 100) {
      end.at(ms);
      end.take({ flags: RST, seq: 502 });
      if (end.takeSent().length > 0) times.push(ms);
    }
    expect(times).toEqual([1000, 1500, 2000, 2500]);
    end.host.mayChallenge = () => false;
    end.at(4000);
    end.take({ flags: SYN, seq: 502 });
    expect(end.takeSent()).toEqual([]);
  });
});

describe('PAWS and TS.Recent (RFC 7323 §4.3, §5)', () => {
  test.each<[string, Partial<FlyingSegment>, string | null, number]>([
    ['newer, at Last.ACK.sent', { tsVal: 1100 }, null, 1100],
    ['newer, in front of a hole: not echoed (4.3 (2))', { tsVal: 1100, seq: 601, lenBytes: 10 }, null, 1000],
    ['the same', { tsVal: 1000, lenBytes: 10 }, null, 1000],
    ['older (R1)', { tsVal: 999, lenBytes: 10 }, 'tcp.paws', 1000],
    ['older, and a reset: it counts (5.2)', { tsVal: 999, flags: RST }, null, 1000],
    ['older by a little, and a pure acknowledgement that says nothing: as Linux', { tsVal: 500 }, null, 1000],
    ['newer over the wrap', { tsVal: 1000 + 0x7fffffff }, null, 1000 + 0x7fffffff],
    ['newer, and a strange ACK: not taken', { tsVal: 1100, ack: 102 }, 'tcp.ack', 1000],
  ])('%s', (_, flying, fault, recent) => {
    const end = ours();
    Object.assign(end.conn, { tsRecent: 1000, tsRecentAtS: 1 });
    expect([end.take(flying), end.conn.tsRecent]).toEqual([fault, recent]);
  });

  test('after 24 days of silence an older one is taken, and is the recent one (5.5)', () => {
    const end = ours();
    Object.assign(end.conn, { tsRecent: 1000, tsRecentAtS: 1 });
    end.host.clock.nowUs = 25 * 86400 * 1e6;
    expect(end.take({ tsVal: 7, lenBytes: 10 })).toBe(null);
    expect(end.conn.tsRecent).toBe(7);
  });
});

describe('fifth in SYN-RECEIVED (RFC 9293 §3.10.7.4)', () => {
  test.each<[string, Partial<FlyingSegment>, number]>([
    ['ACK of our SYN', { ack: 101 }, ESTABLISHED],
    ['with data', { ack: 101, lenBytes: 10 }, ESTABLISHED],
    ['with data and FIN', { ack: 101, lenBytes: 10, flags: ACK | FIN }, CLOSE_WAIT],
    ['with a FIN whose data are missing', { ack: 101, seq: 511, flags: ACK | FIN }, ESTABLISHED],
    ['the SYN-ACK of a simultaneous open (§3.5, figure 8)', { ack: 101, seq: 500, flags: SYN | ACK }, ESTABLISHED],
    ['SYN without ACK', { ack: 101, flags: SYN, seq: 500 }, SYN_RECEIVED],
    ['no ACK', { flags: PSH, lenBytes: 10 }, SYN_RECEIVED],
  ])('%s', (_, flying, state) => {
    const end = opening();
    end.take(flying);
    expect(end.conn.sock.state).toBe(state);
    expect(end.conn.sndUna).toBe(state === SYN_RECEIVED ? 100 : 101);
  });

  test('the window of its SYN is not scaled (RFC 7323 §2.2)', () => {
    const end = opening();
    end.conn.sndShift = 7;
    end.take({ ack: 101, seq: 500, flags: SYN | ACK, window: 1000 });
    expect(end.conn.sndWnd).toBe(1000);
    end.take({ window: 1000 });
    expect(end.conn.sndWnd).toBe(128_000);
  });

  test.each([100, 102, 99])('another ACK (%d) is answered by a reset, and nothing else happens', (ack) => {
    const end = opening();
    expect(end.take({ ack, lenBytes: 10 })).toBe('tcp.ack');
    expect([end.conn.sock.state, sent(end)]).toEqual([SYN_RECEIVED, [[RST, ack, 0, 0]]]);
  });

  test('who has closed meanwhile sends his FIN with it, data before it', () => {
    const end = opening();
    end.conn.writeSeq = 151;
    end.machine.close(end.conn);
    expect(end.takeSent()).toEqual([]);
    end.take({ ack: 101 });
    expect([end.conn.sock.state, sent(end)]).toEqual([FIN_WAIT_1, [[ACK | FIN | PSH, 101, 501, 50]]]);
  });

  test('a reset: refused', () => {
    const end = opening();
    end.take({ flags: RST });
    expect(end.host.ended).toEqual({ errno: 111, state: CLOSED });
  });
});

describe('fifth and eighth: our FIN acknowledged, and theirs (RFC 9293 §3.10.7.4, figure 5)', () => {
  const F = ACK | FIN;
  test.each<[string, ('close' | Partial<FlyingSegment>)[], number]>([
    ['FIN', [{ flags: F }], CLOSE_WAIT],
    ['FIN again', [{ flags: F }, { flags: F, seq: 501 }], CLOSE_WAIT],
    ['FIN before its data', [{ flags: F, seq: 511 }], ESTABLISHED],
    ['FIN before its data, then they', [{ flags: F, seq: 511 }, { lenBytes: 10 }], CLOSE_WAIT],
    ['FIN with data', [{ flags: F, lenBytes: 10 }], CLOSE_WAIT],
    ['a FIN that lies, and the true one', [{ flags: F, seq: 505 }, { lenBytes: 10 }, { flags: F }], CLOSE_WAIT],
    ['FIN, then close', [{ flags: F }, 'close'], LAST_ACK],
    ['FIN, then close, then ACK', [{ flags: F }, 'close', { ack: 102 }], CLOSED],
    ['close', ['close'], FIN_WAIT_1],
    ['close, then ACK', ['close', { ack: 102 }], FIN_WAIT_2],
    ['close, then ACK, then FIN', ['close', { ack: 102 }, { flags: F, ack: 102 }], TIME_WAIT],
    ['close, then FIN and ACK at once', ['close', { flags: F, ack: 102 }], TIME_WAIT],
    ['close, then FIN', ['close', { flags: F, ack: 101 }], CLOSING],
    ['close, then FIN, then ACK', ['close', { flags: F, ack: 101 }, { ack: 102 }], TIME_WAIT],
    ['close, then data and FIN', ['close', { flags: F, ack: 101, lenBytes: 10 }], CLOSING],
    ['close, then data', ['close', { ack: 102, lenBytes: 10 }], FIN_WAIT_2],
    ['FIN at a shut window', [{ flags: F }], CLOSE_WAIT],
  ])('%s', (_, events, state) => {
    const end = ours();
    if (_.endsWith('shut window')) Object.assign(end.conn, { rcvWnd: 0, windowSlowStart: 0 });
    for (const event of events) {
      if (event === 'close') end.machine.close(end.conn);
      else end.take(event);
    }
    expect(end.host.ended?.state ?? end.conn.sock.state).toBe(state);
    // Behind data it waits for an answer of the user's, as in Linux.
    if ((end.conn.timers & TIMER.DELACK) !== 0) {
      end.at(end.conn.delackAtMs);
      end.machine.onTimeout(end.conn);
    }
    const last = end.takeSent().at(-1);
    if (state === CLOSE_WAIT || state === TIME_WAIT) expect(last?.ack).toBe(end.conn.rcvNxt);
  });

  test('in CLOSING their FIN that comes again with the ACK of ours is acknowledged', () => {
    const end = ours();
    end.machine.close(end.conn);
    end.take({ flags: ACK | FIN, ack: 101 });
    end.takeSent();
    end.take({ flags: ACK | FIN, seq: 501, ack: 102 });
    expect(end.host.ended?.state).toBe(TIME_WAIT);
    expect(sent(end)).toEqual([[ACK, 102, 502, 0]]);
  });

  test('a user who ends it when he is given the data before a FIN: nothing follows', () => {
    const end = ours();
    end.host.deliver = (conn) => end.machine.abort(conn, 0);
    end.take({ flags: F, lenBytes: 10 });
    expect([end.host.ended?.state, end.conn.flags & FLAG.FIN_RECEIVED]).toEqual([CLOSED, 0]);
  });

  test.each([
    ['its user has closed it', FLAG.CLOSED_BY_USER, true],
    ['both halves are shut down, as Linux', FLAG.SHUT_RECEIVE, true],
    ['only sending is', 0, false],
  ])('data in FIN-WAIT when %s', (_, flag, isReset) => {
    const end = ours();
    end.machine.close(end.conn);
    end.conn.flags |= flag;
    end.takeSent();
    end.take({ ack: 101, lenBytes: 10 });
    expect(end.host.ended?.errno).toBe(isReset ? 104 : undefined);
    if (isReset) expect(sent(end)).toEqual([[RST, 101, 0, 0]]);
  });
});
