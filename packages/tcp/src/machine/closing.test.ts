import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { MachineEnd } from '../testing/machine-pair.ts';
import { extraOf, FLAG } from './connection.ts';
import { stateName, TCP_STATE } from './state.ts';

const { ACK, FIN, RST } = TCP_FLAG;
const { SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, CLOSED } = TCP_STATE;
const ALL = [SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK];

function endIn(state: number): MachineEnd {
  const end = new MachineEnd(0, 0);
  const { conn, machine } = end;
  if (state === SYN_RECEIVED || state === SYN_SENT) {
    conn.sock.state = state;
    conn.sndUna = conn.iss;
    machine.begin(conn);
  }
  if (state === CLOSE_WAIT || state === LAST_ACK) end.take({ flags: ACK | FIN });
  if (state === FIN_WAIT_1 || state === FIN_WAIT_2 || state === CLOSING || state === LAST_ACK) machine.close(conn);
  if (state === FIN_WAIT_2) end.take({ ack: conn.sndNxt });
  if (state === CLOSING) end.take({ flags: ACK | FIN });
  expect(stateName(conn.sock.state)).toBe(stateName(state));
  end.takeSent();
  return end;
}

describe('ABORT (RFC 9293 §3.10.5)', () => {
  test.each(ALL.map((state) => [stateName(state), state]))('in %s: a reset where one is due, and nothing stays', (_, state) => {
    const end = endIn(state as number);
    end.machine.abort(end.conn, 103);
    const isDue = state !== CLOSING && state !== LAST_ACK;
    expect(end.takeSent().map(({ flags }) => flags)).toEqual(isDue ? [RST | ACK] : []);
    expect(end.host.ended).toEqual({ errno: 103, state: CLOSED });
    end.machine.abort(end.conn, 1);
    expect([end.conn.timers, end.conn.sentFirst, end.host.ended?.errno]).toEqual([0, null, 103]);
  });

  test('in SYN-SENT: none', () => {
    const end = endIn(SYN_SENT);
    end.machine.close(end.conn);
    expect([end.takeSent(), end.host.ended]).toEqual([[], { errno: 0, state: CLOSED }]);
  });

  test('in CLOSING with the FIN unsent (as Linux), within the peer’s window', () => {
    const end = new MachineEnd(0, 0);
    end.conn.sndWnd = 0;
    end.write(10);
    end.machine.close(end.conn);
    end.take({ flags: ACK | FIN, window: 0 });
    end.takeSent();
    end.machine.abort(end.conn, 0);
    expect(end.takeSent().map(({ flags, seq }) => [flags, seq])).toEqual([[RST | ACK, 1]]);
  });
});

describe('CLOSE (RFC 9293 §3.10.4) and the user’s close', () => {
  test.each<[number, number]>([
    [ESTABLISHED, FIN_WAIT_1],
    [CLOSE_WAIT, LAST_ACK],
    [SYN_RECEIVED, SYN_RECEIVED],
    [FIN_WAIT_1, FIN_WAIT_1],
    [LAST_ACK, LAST_ACK],
  ])('in state %d', (state, next) => {
    const end = endIn(state);
    end.machine.close(end.conn);
    expect(end.conn.sock.state).toBe(next);
    end.machine.close(end.conn);
    expect(end.takeSent().filter(({ flags }) => (flags & FIN) !== 0).length).toBe(state === next ? 0 : 1);
  });

  test.each<[string, number, boolean, string]>([
    ['data are unread (RFC 2525 §2.17)', 1, false, 'aborts-on-close'],
    ['linger 0', 0, true, 'aborts-on-linger'],
  ])('a reset where %s', (_, unread, isAbort, counter) => {
    const end = endIn(ESTABLISHED);
    end.machine.closeByUser(end.conn, unread, isAbort);
    expect(end.takeSent().map(({ flags }) => flags)).toEqual([RST | ACK]);
    expect(end.host.counters[counter as 'aborts-on-close'].value).toBe(1);
  });

  test('in FIN-WAIT-2, and when it comes there: something small goes on; TCP_LINGER2 below 0: a reset', () => {
    const end = endIn(FIN_WAIT_2);
    end.machine.closeByUser(end.conn, 0, false);
    expect(end.host.ended).toEqual({ errno: 0, state: FIN_WAIT_2 });
    const later = endIn(ESTABLISHED);
    later.machine.closeByUser(later.conn, 0, false);
    later.take({ ack: 2 });
    expect(later.host.ended).toEqual({ errno: 0, state: FIN_WAIT_2 });
    const hurried = endIn(FIN_WAIT_2);
    extraOf(hurried.conn).linger2Sec = -1;
    hurried.machine.closeByUser(hurried.conn, 0, false);
    expect(hurried.takeSent().map(({ flags }) => flags)).toEqual([RST | ACK]);
  });

  test('too many orphans: a reset', () => {
    const end = endIn(ESTABLISHED);
    end.host.mayOrphan = () => false;
    end.machine.closeByUser(end.conn, 0, false);
    expect([end.host.ended, end.host.counters['aborts-on-memory'].value]).toEqual([{ errno: 0, state: CLOSED }, 1]);
  });

  test('a user who closes when he is told that the FIN is acknowledged, or that data came, or of the peer’s FIN', () => {
    for (const flying of [{ ack: 2 }, { lenBytes: 10 }, { flags: ACK | FIN }]) {
      const end = endIn(FIN_WAIT_1);
      let ends = 0;
      end.host.wake = (conn) => end.machine.closeByUser(conn, 0, false);
      const { timeWait, over } = end.host;
      end.host.timeWait = (...args) => [ends++, timeWait.apply(end.host, args)];
      end.host.over = (...args) => [ends++, over.apply(end.host, args)];
      end.take(flying);
      expect(ends).toBeLessThan(2);
      expect((end.conn.flags & FLAG.OVER) === 0 || end.conn.timers === 0).toBe(true);
    }
  });
});

describe('resets of the peer (RFC 9293 §3.10.7.4): what the user is told', () => {
  test.each<[number, number]>([
    [SYN_RECEIVED, 111],
    [ESTABLISHED, 104],
    [FIN_WAIT_1, 104],
    [CLOSE_WAIT, 32],
    [LAST_ACK, 104],
  ])('in state %d', (state, errno) => {
    const end = endIn(state);
    end.take({ flags: RST });
    expect([end.host.ended, end.takeSent()]).toEqual([{ errno, state: CLOSED }, []]);
  });
});
