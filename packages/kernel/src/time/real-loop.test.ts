import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import type { Host } from './host.ts';
import { hostOf } from './host.ts';
import type { TimerAccount } from './wheel-timer.ts';
import { World } from './world.ts';

const account = (): TimerAccount => ({ owner: 1, label: 'm#1', armed: 0, dead: false });

/** A browser's MessageChannel, which keeps no process alive. */
class BrowserChannel {
  readonly #channel = new MessageChannel();
  readonly port2 = this.#channel.port2;
  readonly port1 = this;

  set onmessage(then: () => void) {
    this.#channel.port1.on('message', then);
    this.#channel.port1.unref();
  }
}

/** A host whose clock and tasks are moved by hand. */
class HandHost implements Host {
  clockMs = 500;
  timers = new Map<number, { then: () => void; atMs: number; delayMs: number }>();
  tasks: (() => void)[] = [];
  #id = 0;

  nowMs(): number {
    return this.clockMs;
  }

  setTimer(then: () => void, delayMs: number): unknown {
    this.timers.set(++this.#id, { then, atMs: this.clockMs + delayMs, delayMs });
    return this.#id;
  }

  clearTimer(handle: unknown): void {
    this.timers.delete(handle as number);
  }

  soon(then: () => void): void {
    this.tasks.push(then);
  }

  /** Time passes, then what is due runs: one task or timer. */
  pass(ms: number): void {
    this.clockMs += ms;
    const task = this.tasks.shift();
    const due = [...this.timers].find(([, { atMs }]) => atMs <= this.clockMs);
    if (task !== undefined) task();
    else if (due !== undefined) {
      this.timers.delete(due[0]);
      due[1].then();
    }
  }

  get delays(): number[] {
    return [...this.timers.values()].map(({ delayMs }) => delayMs);
  }
}

function setup(names = ['h1']) {
  const host = new HandHost();
  const world = new World({ clock: 'real', host });
  const log: string[] = [];
  const kernels = names.map((name) => {
    const executive = new Executive({ name, time: world.time, onFault: (_owner, error) => void log.push(String(error)) });
    world.attach(executive);
    const owner = account();
    const timer = (label: string, then?: () => void) =>
      executive.wheel.timer(
        owner,
        () => {
          log.push(`${label}@${executive.clock.nowUs}`);
          then?.();
        },
        null,
        label,
      );
    return { executive, timer };
  });
  return { host, world, log, kernels, ...kernels[0]! };
}

describe('World, real', () => {
  it('sets one host timer for the earliest, and another only when something gets earlier', () => {
    const { host, timer, log } = setup();
    expect([host.timers.size, host.tasks.length]).toEqual([0, 0]);
    const [a, b] = [timer('a'), timer('b')];
    a.arm(5_500);
    b.arm(9_000);
    expect(host.delays).toEqual([6]);
    b.arm(2_000);
    expect(host.delays).toEqual([2]);
    host.pass(2);
    expect([log, host.delays]).toEqual([['b@2000'], [4]]);
    host.pass(4);
    expect([log, host.delays]).toEqual([['b@2000', 'a@6000'], []]);
  });

  it('leaves nothing that keeps the process alive when nothing is armed', () => {
    const { host, timer, kernels } = setup(['a', 'b']);
    const first = timer('first');
    const second = kernels[1]!.timer('second');
    first.arm(7_200_000_000);
    second.arm(8_000_000_000);
    first.cancel();
    expect(host.timers.size).toBe(1);
    second.cancel();
    expect([host.timers.size, host.tasks.length]).toEqual([0, 0]);
    first.arm(1000);
    second.arm(1000);
    host.pass(1);
    expect([host.timers.size, host.tasks.length]).toEqual([0, 0]);
  });

  it('takes time from the host between batches: a delay counts from now, not from the last batch', () => {
    const { host, timer, log, world, executive } = setup();
    host.clockMs += 10_000;
    expect([world.nowUs, executive.clock.nowUs]).toEqual([10_000_000, 10_000_000]);
    timer('a').arm(1000);
    expect(host.delays).toEqual([1]);
    host.pass(1);
    expect(log).toEqual(['a@10001000']);
  });

  it('waits again when the host is too early, and never lets time go back', () => {
    const { host, timer, log, world } = setup();
    timer('a').arm(3_000);
    host.clockMs += 3;
    host.clockMs -= 0.5;
    for (const { then } of [...host.timers.values()]) then();
    expect([log, host.delays.at(-1)]).toEqual([[], 1]);
    host.clockMs += 5;
    const before = world.nowUs;
    host.clockMs -= 2;
    expect(world.nowUs).toBe(before);
  });

  it('does softirq work in a task of its own, with the event loop between runs', () => {
    const { host, executive } = setup();
    let work = 640;
    const polls: number[] = [];
    const source = {
      poll: (budget: number) => {
        const done = Math.min(budget, work);
        polls.push(done);
        work -= done;
        return done;
      },
    };
    const poll = executive.softirq.register(source, 1, 'rx');
    poll.raise();
    poll.raise();
    expect([host.tasks.length, polls.length]).toEqual([1, 0]);
    host.pass(0);
    expect([host.tasks.length, polls.length]).toEqual([1, 5]);
    while (host.tasks.length > 0) host.pass(0);
    expect(polls).toHaveLength(11);
  });

  it('yields from timers that arm themselves with 0', () => {
    const { host, timer, log } = setup();
    const again = timer('again', () => again.arm(0));
    again.arm(0);
    for (let i = 0; i < 10; i++) host.pass(1);
    expect(log).toHaveLength(10);
    again.cancel();
    expect(host.timers.size + host.tasks.length).toBe(0);
  });

  it('gives each kernel its turn in a pass, and forgets those that leave in it', () => {
    const { host, kernels, world, log } = setup(['a', 'b', 'c']);
    kernels[0]!.timer('a', () => world.detach(kernels[1]!.executive)).arm(1000);
    kernels[1]!.timer('b').arm(1000);
    kernels[2]!.timer('c').arm(1000);
    host.pass(1);
    expect(log).toEqual(['a@1000', 'c@1000']);
    kernels[0]!.timer('a').arm(1000);
    world.detach(kernels[0]!.executive);
    expect(host.timers.size).toBe(0);
  });

  it('splits delays that host timers cannot hold', () => {
    const { host, timer, log } = setup();
    const far = 3 * 2 ** 31 * 1000;
    timer('far').arm(far);
    expect(host.delays).toEqual([2 ** 31 - 1]);
    for (let i = 0; i < 4; i++) host.pass(2 ** 31 - 1);
    expect(log).toHaveLength(1);
  });

  it('is not advanced by anybody', async () => {
    const { world } = setup();
    await expect(world.advance(1)).rejects.toThrow('EOPNOTSUPP: this World runs in real time');
    expect(() => world.advanceSync(1)).toThrow('EOPNOTSUPP');
  });
});

describe.each([
  ['with setImmediate', globalThis],
  ['with MessageChannel', { performance, setTimeout, clearTimeout, MessageChannel: BrowserChannel }],
  ['with setTimeout only', { performance, setTimeout, clearTimeout }],
])('World on this host, %s', (_name, globals) => {
  const worlds: World[] = [];
  const make = (clock: 'real' | 'virtual') => {
    const world = new World({ clock, host: hostOf(globals) });
    const executive = new Executive({ name: 'h1', time: world.time, onFault: () => {} });
    world.attach(executive);
    worlds.push(world);
    const sleep = (us: number) => new Promise<void>((done) => executive.wheel.timer(account(), () => done(), null, 'sleep').arm(us));
    return { world, executive, sleep };
  };
  afterEach(() => {
    for (const world of worlds.splice(0)) for (const executive of world.executives) world.detach(executive);
  });

  it('runs timers and work in real time', async () => {
    const { world, executive, sleep } = make('real');
    const began = performance.now();
    await world.run(sleep(20_000));
    expect(performance.now() - began).toBeGreaterThanOrEqual(19.9);
    expect(performance.now() - began).toBeLessThan(5000);
    await new Promise<void>((done) => {
      const poll = () => {
        done();
        return 0;
      };
      executive.softirq.register({ poll }, 1, 'rx').raise();
    });
    expect(Number.isInteger(world.nowUs)).toBe(true);
  });

  it('gives up at a limit', async () => {
    const { world, sleep } = make('real');
    await expect(world.run(sleep(60_000_000), { limitUs: 5000 })).rejects.toThrow(
      'ETIMEDOUT: the promise is still pending after 5000 µs of real time',
    );
    await expect(world.run(sleep(1000), { limitUs: 5_000_000 })).resolves.toBeUndefined();
    await expect(world.run(Promise.reject(new Error('no')), { limitUs: 5_000_000 })).rejects.toThrow('no');
  });

  it('runs virtual time', async () => {
    const { world, sleep } = make('virtual');
    await world.run(sleep(60_000_000).then(() => sleep(1)));
    expect(world.nowUs).toBe(60_000_001);
  });
});
