import type { ModuleContext, Timer } from '@softnet/contract';
import { SockCommon } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Connection, TIMER } from '../machine/connection.ts';
import { ConnectionTimers } from './connection-timers.ts';

class FakeTimer implements Timer {
  armed = false;
  whenUs = 0;
  arms = 0;
  readonly fire: () => void;

  constructor(fire: () => void) {
    this.fire = fire;
  }
  arm(): void {}
  armAt(whenUs: number): void {
    this.armed = true;
    this.whenUs = whenUs;
    this.arms++;
  }
  cancel(): void {
    this.armed = false;
  }
  expire(): void {
    this.armed = false;
    this.fire();
  }
}

function make() {
  const clock = { nowUs: 5_000_000, nowMs: 5000, virtual: true, readUs: () => 0 };
  const timers: FakeTimer[] = [];
  const timer = <A>(fire: (arg: A) => void, arg: A): Timer => {
    timers.push(new FakeTimer(() => fire(arg)));
    return timers.at(-1)!;
  };
  const due: Connection[] = [];
  const lent = new ConnectionTimers(
    { clock, timer } as unknown as ModuleContext,
    ({ retransmitAtMs }) => retransmitAtMs,
    (conn) => {
      due.push(conn);
      conn.timers = 0;
    },
  );
  const connection = (atMs: number): Connection => {
    const conn = new Connection(new SockCommon(null as never));
    conn.timers = TIMER.RETRANSMIT;
    conn.retransmitAtMs = atMs;
    lent.retime(conn);
    return conn;
  };
  const passTo = (ms: number): void => {
    clock.nowMs = ms;
    clock.nowUs = ms * 1000;
  };
  return { lent, timers, due, connection, passTo };
}

test('a timer is lent while a clock runs, and then to another', () => {
  const { lent, timers, connection } = make();
  const first = connection(5200);
  expect([timers[0]!.armed, timers[0]!.whenUs]).toEqual([true, 5_200_000]);
  first.timers = 0;
  lent.retime(first);
  expect([timers[0]!.armed, first.timer]).toEqual([false, null]);
  connection(5300);
  connection(5400);
  expect(timers.map(({ whenUs }) => whenUs)).toEqual([5_300_000, 5_400_000]);
});

test('what is put off is not armed again until it fires early; what is sooner is', () => {
  const { lent, timers, due, connection, passTo } = make();
  const conn = connection(5200);
  conn.retransmitAtMs = 5900;
  lent.retime(conn);
  expect([timers[0]!.arms, timers[0]!.whenUs]).toEqual([1, 5_200_000]);
  passTo(5200);
  timers[0]!.expire();
  expect([due, timers[0]!.whenUs]).toEqual([[], 5_900_000]);
  conn.retransmitAtMs = 5500;
  lent.retime(conn);
  expect(timers[0]!.whenUs).toBe(5_500_000);
  passTo(5500);
  timers[0]!.expire();
  expect([due, conn.timer, timers[0]!.armed]).toEqual([[conn], null, false]);
});

test('across the wrap of milliseconds', () => {
  const { timers, passTo, connection } = make();
  passTo(0x7fffffff - 100);
  connection((0x7fffffff + 100) | 0);
  expect(timers[0]!.whenUs).toBe((0x7fffffff - 100) * 1000 + 200_000);
});
