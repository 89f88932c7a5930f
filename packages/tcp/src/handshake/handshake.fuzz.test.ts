import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ComingSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld } from '../testing/handshake-world.ts';
import type { TimeWait } from './time-wait.ts';

const { SYN, ACK, RST } = TCP_FLAG;
const SEGMENTS = 30_000;
const BACKLOG = 5;

/** Chance from a seed. */
function chance(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % bound;
  };
}

/** A segment that may hit: its numbers stand at, before or behind what is awaited. */
function anySegment(below: (bound: number) => number, seq: number, ack: number): ComingSegment {
  const near = (at: number): number => at + [0, 0, 0, 1, -1, 100, -100, 70_000, below(0x7fffffff)][below(9)]!;
  const stamps = below(2) === 0 ? {} : { stamps: [below(3000), near(500)] as const };
  const options = { mss: [0, 1, 536, 65535][below(4)]!, scale: below(17) - 1, sack: below(2) === 0 };
  return {
    flags: below(64),
    seq: near(seq),
    ack: near(ack),
    window: below(65536),
    lenBytes: below(3) * below(1500),
    ...options,
    ...stamps,
    remotePort: 4000 + below(12),
  };
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold: ${what}`);
}

/** No answer to a reset but a challenge, no reset to one, and no more than one answer to a segment. */
function checkAnswers(world: HandshakeWorld, { flags }: ComingSegment, most: number): void {
  const sent = world.take();
  must(sent.length <= most, `${sent.length} answers`);
  must((flags & RST) === 0 || sent.every((each) => each.flags === ACK), 'a reset is challenged, or not answered');
}

test.each([1, 2, 3])('whatever comes to a listener: bounds hold, answers are few, nothing stays (seed %i)', (seed) => {
  const below = chance(seed);
  const world = new HandshakeWorld({ syncookies: seed % 3 }, seed);
  const listener = world.listen(BACKLOG);
  const last = { irs: 0, iss: 0, remotePort: 4000 };
  for (let i = 0; i < SEGMENTS; i++) {
    const any = anySegment(below, last.irs, last.iss);
    const coming = below(2) === 0 ? any : { ...any, remotePort: last.remotePort };
    world.handshake.arrives(listener, world.coming(coming));
    for (const { flags, seq, ack, remotePort } of world.out)
      if (flags === (SYN | ACK)) Object.assign(last, { irs: ack, iss: seq + 1, remotePort });
    checkAnswers(world, coming, 2);
    const { requests, young, accepted } = listener;
    must(requests === world.handshake.requests && requests <= BACKLOG + 1, 'requests are counted, and bounded');
    must(young <= requests, 'the young are among them');
    must(accepted.count <= BACKLOG + 1, 'who waits to be accepted is bounded');
    if (below(20) === 0) world.passMs(below(3000));
    if (below(10) === 0) {
      const child = world.handshake.accept(listener);
      if (child !== null) world.machine.abort(child, 0);
    }
    world.out.length = 0;
  }
  expect(world.counters['passive-opens'].value).toBeGreaterThan(100);
  world.handshake.stopListening(listener);
  expect([world.handshake.requests, listener.requests, listener.young, listener.accepted.count]).toEqual([0, 0, 0, 0]);
  expect(world.armedTimers).toBe(0);
});

test('whatever comes in SYN-SENT and TIME-WAIT: each ends in a state that there is, and nothing stays', () => {
  const below = chance(9);
  const world = new HandshakeWorld({ rfc1337: false }, 9);
  world.listen(BACKLOG);
  const left: TimeWait[] = [];
  const ends = new Set<number>();
  let conn: Connection | null = null;
  for (let i = 0; i < SEGMENTS; i++) {
    if (conn === null || conn.sock.state !== TCP_STATE.SYN_SENT) {
      if (conn !== null) {
        ends.add(conn.sock.state);
        if (conn.sock.state !== TCP_STATE.CLOSED) {
          const timeWait = world.handshake.timeWait(
            conn,
            below(2) === 0 ? TCP_STATE.TIME_WAIT : TCP_STATE.FIN_WAIT_2,
            1000 + below(60_000),
          );
          if (timeWait !== null) left.push(timeWait);
        }
      }
      conn = world.connect();
      world.out.length = 0;
    }
    const coming = anySegment(below, 1000, conn.sndNxt);
    world.toConnection(conn, coming);
    checkAnswers(world, coming, 2);
    const timeWait = left[below(Math.max(1, left.length))];
    if (timeWait !== undefined && timeWait.sock.state !== TCP_STATE.CLOSED) {
      const late = anySegment(below, timeWait.rcvNxt, timeWait.sndNxt);
      world.toTimeWait(timeWait, late);
      checkAnswers(world, late, 1);
    }
    if (below(10) === 0) world.passMs(below(2000));
    world.out.length = 0;
  }
  expect([...ends].sort()).toEqual(expect.arrayContaining([TCP_STATE.CLOSED, TCP_STATE.ESTABLISHED, TCP_STATE.SYN_RECEIVED]));
  expect(world.counters['time-waits'].value).toBeGreaterThan(100);
  world.handshake.stopListening(world.listener!);
  for (const each of [...world.connections]) if (each.sock.state !== TCP_STATE.LISTEN) world.machine.abort(each, 0);
  world.passMs(200_000);
  expect([world.timeWaits.size, world.handshake.requests, world.armedTimers]).toEqual([0, 0, 0]);
});
