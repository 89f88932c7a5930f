import { SockCommon } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ComingSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld } from '../testing/handshake-world.ts';
import type { TimeWait } from './time-wait.ts';

const { SYN, ACK, RST, FIN, PSH } = TCP_FLAG;
const { TIME_WAIT, FIN_WAIT_2, CLOSED } = TCP_STATE;
const RCV = 5000;
const SND = -100;

/** What is left of a connection, whose numbers are these. */
function waiting({
  state = TIME_WAIT as number,
  forMs = 60_000,
  stamps = false,
  settings = {} as ConstructorParameters<typeof HandshakeWorld>[0],
} = {}) {
  const world = new HandshakeWorld(settings);
  const conn = closedOf(world, stamps);
  const timeWait = world.handshake.timeWait(conn, state, forMs)!;
  return { world, conn, timeWait };
}

function closedOf(world: HandshakeWorld, stamps = false): Connection {
  const conn = world.connection();
  conn.flags = stamps ? FLAG.TIMESTAMPS : 0;
  Object.assign(conn, { sndNxt: SND, rcvNxt: RCV, rcvWup: RCV, rcvWnd: 1000, tsRecent: 200, tsRecentAtS: 1, tsOffset: 9 });
  return conn;
}

function isThere(world: HandshakeWorld, { sock }: TimeWait): boolean {
  return world.timeWaits.has(sock);
}

const SAID = [{ flags: ACK, seq: SND, ack: RCV, window: 1000 }];
/** RFC 9293 §3.10.7.4 in TIME-WAIT; the state behind it, and the answer. */
test.each([
  ['the FIN again: acknowledged again', { flags: FIN | ACK, seq: RCV - 1 }, TIME_WAIT, SAID],
  ['old text: acknowledged', { flags: ACK | PSH, seq: RCV - 50, lenBytes: 50 }, TIME_WAIT, SAID],
  ['new text: acknowledged, not taken', { flags: ACK | PSH, seq: RCV, lenBytes: 50 }, TIME_WAIT, SAID],
  ['a bare ACK', { flags: ACK, seq: RCV }, TIME_WAIT, []],
  ['an old SYN: told where we are', { flags: SYN, seq: RCV - 9 }, TIME_WAIT, SAID],
  ['SYN, ACK', { flags: SYN | ACK, seq: RCV + 9 }, TIME_WAIT, SAID],
  ['RST at RCV.NXT', { flags: RST, seq: RCV }, CLOSED, []],
  ['RST elsewhere', { flags: RST, seq: RCV + 1 }, TIME_WAIT, []],
  ['RST long ago', { flags: RST | ACK, seq: RCV - 1 }, TIME_WAIT, []],
] as [string, ComingSegment, number, object[]][])('TIME-WAIT: %s', (_, coming, state, answers) => {
  const { world, timeWait } = waiting();
  world.toTimeWait(timeWait, coming);
  const sent = world.take();
  expect(sent).toHaveLength(answers.length);
  expect(sent).toMatchObject(answers);
  expect([timeWait.sock.state, isThere(world, timeWait)]).toEqual([state, state !== CLOSED]);
});

test('RFC 1337: with tcp_rfc1337 no RST ends it', () => {
  const { world, timeWait } = waiting({ settings: { rfc1337: true } });
  world.toTimeWait(timeWait, { flags: RST, seq: RCV });
  expect(timeWait.sock.state).toBe(TIME_WAIT);
});

/** FIN-WAIT-2 of who has closed. */
test.each([
  ['the FIN: TIME-WAIT', { flags: FIN | ACK, seq: RCV }, TIME_WAIT, [{ flags: ACK, seq: SND, ack: RCV + 1 }]],
  ['a bare ACK', { flags: ACK, seq: RCV }, FIN_WAIT_2, []],
  ['text for nobody: reset', { flags: ACK | PSH, seq: RCV, ack: 44, lenBytes: 5 }, CLOSED, [{ flags: RST, seq: 44 }]],
  ['text and FIN: reset', { flags: ACK | FIN, seq: RCV, ack: 44, lenBytes: 5 }, CLOSED, [{ flags: RST, seq: 44 }]],
  ['a FIN that leaves something out: reset', { flags: ACK | FIN, seq: RCV + 10, ack: 44 }, CLOSED, [{ flags: RST, seq: 44 }]],
  ['old text: acknowledged', { flags: ACK | PSH, seq: RCV - 50, lenBytes: 50 }, FIN_WAIT_2, SAID],
  ['beyond the window: acknowledged', { flags: ACK, seq: RCV + 1001 }, FIN_WAIT_2, SAID],
  ['RST in the window', { flags: RST, seq: RCV + 5 }, CLOSED, []],
  ['RST outside', { flags: RST, seq: RCV - 5 }, FIN_WAIT_2, []],
  ['SYN in the window: reset', { flags: SYN, seq: RCV + 5 }, CLOSED, [{ flags: RST | ACK, ack: RCV + 6 }]],
] as [string, ComingSegment, number, object[]][])('FIN-WAIT-2: %s', (_, coming, state, answers) => {
  const { world, timeWait } = waiting({ state: FIN_WAIT_2 });
  world.toTimeWait(timeWait, coming);
  const sent = world.take();
  expect(sent).toHaveLength(answers.length);
  expect(sent).toMatchObject(answers);
  expect([timeWait.sock.state, isThere(world, timeWait)]).toEqual([state, state !== CLOSED]);
});

test('it lasts 60 s from the last segment that counts; FIN-WAIT-2 as long as was said, and then 60 s of TIME-WAIT', () => {
  const { world, timeWait } = waiting();
  world.passMs(50_000);
  world.toTimeWait(timeWait, { flags: FIN | ACK, seq: RCV - 1 });
  world.passMs(59_900);
  expect(isThere(world, timeWait)).toBe(true);
  world.passMs(100);
  expect(isThere(world, timeWait)).toBe(false);

  const orphan = waiting({ state: FIN_WAIT_2, forMs: 7000 });
  orphan.world.passMs(6900);
  expect(isThere(orphan.world, orphan.timeWait)).toBe(true);
  orphan.world.toTimeWait(orphan.timeWait, { flags: FIN | ACK, seq: RCV });
  orphan.world.passMs(59_900);
  expect(isThere(orphan.world, orphan.timeWait)).toBe(true);
  orphan.world.passMs(100);
  expect(isThere(orphan.world, orphan.timeWait)).toBe(false);
});

test('many of them, of several delays, end each in its time, by one timer', () => {
  const world = new HandshakeWorld();
  const ends: [TimeWait, number][] = [];
  for (let i = 0; i < 300; i++) {
    const forMs = 1000 * (1 + ((i * 7) % 60));
    ends.push([world.handshake.timeWait(closedOf(world), TIME_WAIT, forMs)!, world.clock.nowMs + forMs]);
    world.passMs(10);
  }
  for (let second = 0; second < 70; second++) {
    for (const [timeWait, at] of ends) expect(isThere(world, timeWait)).toBe(at > world.clock.nowMs);
    world.passMs(1000);
  }
  expect(world.timeWaits.size).toBe(0);
});

test('answers have its timestamps; PAWS (RFC 7323 §5); and are limited', () => {
  const { world, timeWait } = waiting({ stamps: true });
  world.toTimeWait(timeWait, { flags: ACK, seq: RCV, stamps: [199, 0] });
  expect(world.take()).toMatchObject([{ flags: ACK, stamps: [(world.clock.nowMs + 9) | 0, 200] }]);
  expect(world.counters.paws.value).toBe(1);
  world.toTimeWait(timeWait, { flags: ACK, seq: RCV, stamps: [199, 0] });
  expect(world.take()).toEqual([]);
  world.toTimeWait(timeWait, { flags: ACK, seq: RCV, stamps: [300, 0] });
  expect([world.take(), timeWait.tsRecent]).toEqual([[], 300]);
  world.passMs(500);
  world.toTimeWait(timeWait, { flags: FIN | ACK, seq: RCV - 1, stamps: [300, 0] });
  expect(world.take()).toMatchObject([{ stamps: [(world.clock.nowMs + 9) | 0, 300] }]);
  // A reset is no matter of PAWS.
  world.toTimeWait(timeWait, { flags: RST, seq: RCV, stamps: [1, 0] });
  expect(isThere(world, timeWait)).toBe(false);
});

/** RFC 6191 §2: the rest of its cases stand in `machine/time-wait-reuse.test.ts`. */
test.each([
  ['a higher number', false, { flags: SYN, seq: RCV + 1 }, true],
  ['a lower number', false, { flags: SYN, seq: RCV - 1 }, false],
  ['a newer stamp', true, { flags: SYN, seq: RCV - 1, stamps: [201, 0] }, true],
  ['an older stamp', true, { flags: SYN, seq: RCV + 1, stamps: [199, 0] }, false],
  ['an ACK with it', false, { flags: SYN | ACK, seq: RCV + 1 }, false],
] as [string, boolean, ComingSegment, boolean][])('RFC 6191: a SYN with %s', (_, stamps, coming, takes) => {
  const { world, timeWait } = waiting({ stamps });
  // Nobody listens: it stays.
  world.toTimeWait(timeWait, coming);
  expect([isThere(world, timeWait), world.take().map(({ flags }) => flags)]).toEqual([true, [ACK]]);
  const listener = world.listen();
  world.passMs(1000);
  const fault = world.toTimeWait(timeWait, coming);
  expect([isThere(world, timeWait), listener.requests, fault]).toEqual([!takes, takes ? 1 : 0, takes ? null : 'tcp.time-wait']);
  // Beyond all that was sent before.
  expect(world.take()).toMatchObject([takes ? { flags: SYN | ACK, seq: SND + 65537 } : { flags: ACK }]);
});

test('RFC 6191: it is let in whatever the queue of SYNs; not where the listener is parked', () => {
  const { world, timeWait } = waiting({ settings: { syncookies: 2 } });
  const listener = world.listen();
  world.park(true);
  expect(world.toTimeWait(timeWait, { flags: SYN, seq: RCV + 1 })).toBe('tcp.parked');
  expect(isThere(world, timeWait)).toBe(true);
  world.park(false);
  expect(world.toTimeWait(timeWait, { flags: SYN, seq: RCV + 1 })).toBe(null);
  expect([listener.requests, world.counters['cookies-sent'].value]).toEqual([1, 0]);
});

test('tcp_max_tw_buckets', () => {
  const world = new HandshakeWorld({ maxTwBuckets: 2 });
  const made = [1, 2, 3].map(() => world.handshake.timeWait(closedOf(world), TIME_WAIT, 60_000));
  expect(made.map((each) => each !== null)).toEqual([true, true, false]);
  world.handshake.endTimeWait(made[0]!);
  world.handshake.endTimeWait(made[0]!);
  expect(world.handshake.timeWait(closedOf(world), TIME_WAIT, 60_000)).not.toBe(null);
});

/** tcp_tw_reuse; whether the port is being chosen; a second has passed; whether it yields. */
test.each([
  ['a port that was named', 2, true, false, 0, true],
  ['without timestamps never', 1, false, false, 5, false],
  ['a port that is chosen, at once', 1, true, true, 0, false],
  ['a port that is chosen, a second later', 1, true, true, 2, true],
  ['the same, over no loopback', 2, true, true, 2, false],
  ['switched off', 0, true, true, 2, false],
] as [string, number, boolean, boolean, number, boolean][])('tcp_tw_reuse: %s', (_, twReuse, stamps, isChosen, seconds, yields) => {
  const { world, timeWait } = waiting({ stamps, settings: { twReuse } });
  world.passMs(seconds * 1000);
  const young = world.connection();
  expect(world.handshake.yields(timeWait.sock, young.sock, isChosen)).toBe(yields);
  expect(isThere(world, timeWait)).toBe(!yields);
  if (!yields) return;
  world.handshake.connect(young);
  expect(world.take()).toMatchObject([{ flags: SYN, seq: SND + 65537 }]);
  // What is older than its last stamp is of the old connection.
  expect(world.toConnection(young, { flags: SYN, seq: 1, stamps: [199, 0] })).toBe('tcp.paws');
});

test('it is small', () => {
  const { timeWait } = waiting();
  expect(timeWait.sock).toBeInstanceOf(SockCommon);
  expect(Object.keys(timeWait).length).toBeLessThan(20);
});
