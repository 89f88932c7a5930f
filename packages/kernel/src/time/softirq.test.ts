import { describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import { VirtualTime } from './kernel-clock.ts';
import type { SoftirqPoll } from './softirq.ts';
import { POLL_BUDGET, RUN_BUDGET } from './softirq.ts';

function setup() {
  const time = new VirtualTime();
  const faults: { owner: number; message: string; place: string }[] = [];
  const told: string[] = [];
  const onFault = (owner: number, error: unknown, place: string) => void faults.push({ owner, message: String(error), place });
  const context = new Executive({ name: 'h1', time, onFault });
  context.join({ sooner: () => told.push('sooner'), emptied: () => {} }, 0);
  const { softirq } = context;
  const log: string[] = [];
  /** A source with so much work, written down at each poll. */
  const source = (name: string, work: number, owner = 1, then?: (poll: SoftirqPoll) => void) => {
    const state = { work };
    const handle: SoftirqPoll = softirq.register(
      {
        poll(budget) {
          const done = Math.min(budget, state.work);
          state.work -= done;
          log.push(`${name}:${done}`);
          then?.(handle);
          return done;
        },
      },
      owner,
      `test.${name}`,
    );
    return { handle, state };
  };
  return { context, time, faults, told, softirq, log, source };
}

describe('Softirq', () => {
  it('polls raised sources in turn, those with more work again after the others', () => {
    const { softirq, log, source } = setup();
    const [a, b, c] = [source('a', 70), source('b', 10), source('c', 1)];
    c.handle.raise();
    a.handle.raise();
    a.handle.raise();
    b.handle.raise();
    expect(softirq.run()).toBe(4);
    expect(log).toEqual(['c:1', 'a:64', 'b:10', 'a:6']);
    expect(softirq.pending).toBe(false);
    expect(softirq.run()).toBe(0);
  });

  it('ends a run when its budget is used up, and goes on in the next', () => {
    const { softirq, log, source } = setup();
    const { handle, state } = source('a', 1000);
    handle.raise();
    softirq.run();
    expect(log).toHaveLength(Math.ceil(RUN_BUDGET / POLL_BUDGET));
    expect(softirq.pending).toBe(true);
    while (softirq.pending) softirq.run();
    expect(state.work).toBe(0);
  });

  it('ends a run of idle polls that raise one another', () => {
    const { softirq, log, source } = setup();
    source('a', 0, 1, (poll) => poll.raise()).handle.raise();
    expect(softirq.run()).toBe(RUN_BUDGET);
    expect(log).toHaveLength(RUN_BUDGET);
    expect(softirq.pending).toBe(true);
  });

  it('ends a run when 2 ms are over', () => {
    const { context, time, softirq, log, source } = setup();
    const { handle } = source('slow', 1000, 1, () => {
      time.nowUs += 1000;
    });
    handle.raise();
    context.clock.begin();
    softirq.run();
    context.clock.end();
    expect(log).toHaveLength(2);
    expect(softirq.pending).toBe(true);
  });

  it('wakes its World once, when there was nothing before', () => {
    const { told, source } = setup();
    const [a, b] = [source('a', 1), source('b', 1)];
    a.handle.raise();
    b.handle.raise();
    a.handle.raise();
    expect(told).toEqual(['sooner']);
  });

  it('polls again what is raised within its own poll', () => {
    const { softirq, log, source } = setup();
    let once = true;
    source('a', 5, 1, (poll) => {
      if (once) poll.raise();
      once = false;
    }).handle.raise();
    softirq.run();
    expect(log).toEqual(['a:5', 'a:0']);
  });

  it('says who threw, goes on with the others in the same run, and loses neither source nor packets', () => {
    const { context, faults, softirq, log, source } = setup();
    context.current.id = 9;
    let broken = true;
    const bad = source('bad', 3, 4, () => {
      if (!broken) return;
      broken = false;
      context.current.id = 6;
      bad.state.work = 2;
      throw new Error('oops');
    });
    const good = source('good', 1, 5, () => expect(context.current.id).toBe(5));
    bad.handle.raise();
    good.handle.raise();
    softirq.run();
    expect(log).toEqual(['bad:3', 'good:1', 'bad:2']);
    expect(faults).toEqual([{ owner: 6, message: 'Error: oops', place: 'test.bad' }]);
    expect(context.current.id).toBe(9);
    good.state.work = 1;
    good.handle.raise();
    softirq.run();
    expect(log.at(-1)).toBe('good:1');
  });

  it('counts a throw as a whole budget, so that a source that always throws cannot fill a run', () => {
    const { faults, softirq, source } = setup();
    source('bad', 0, 4, () => {
      throw new Error('always');
    }).handle.raise();
    softirq.run();
    expect(faults).toHaveLength(Math.ceil(RUN_BUDGET / POLL_BUDGET));
  });

  it('forgets a source that is removed: queued, in its own poll, or by another', () => {
    const { softirq, log, source } = setup();
    const b = source('b', 5);
    const own = source('own', 100, 1, (poll) => poll.remove());
    const a = source('a', 5, 1, () => b.handle.remove());
    const c = source('c', 5);
    const first = source('first', 5);
    for (const each of [first, own, a, b, c]) each.handle.raise();
    first.handle.remove();
    softirq.run();
    expect(log).toEqual(['own:64', 'a:5', 'c:5']);
    for (const each of [own, b, first]) {
      each.handle.raise();
      each.handle.enable();
      each.handle.raise();
    }
    expect(softirq.pending).toBe(false);
  });

  it('removes the last of the queue, and can queue after it', () => {
    const { softirq, log, source } = setup();
    const [a, b, c] = [source('a', 1), source('b', 1), source('c', 1)];
    a.handle.raise();
    b.handle.raise();
    b.handle.remove();
    c.handle.raise();
    softirq.run();
    expect(log).toEqual(['a:1', 'c:1']);
    a.state.work = 1;
    a.handle.raise();
    a.handle.remove();
    expect(softirq.pending).toBe(false);
    c.handle.raise();
    expect(softirq.pending).toBe(true);
  });

  it('keeps the raise of a source that is disabled until it is enabled', () => {
    const { softirq, log, source } = setup();
    const [queued, later, quiet] = [source('queued', 1), source('later', 1), source('quiet', 1)];
    const own = source('own', 64, 1, (poll) => poll.disable());
    queued.handle.raise();
    own.handle.raise();
    queued.handle.disable();
    later.handle.disable();
    later.handle.raise();
    quiet.handle.disable();
    softirq.run();
    expect(log).toEqual(['own:64']);
    for (const each of [queued, later, quiet, own]) each.handle.enable();
    softirq.run();
    expect(log).toEqual(['own:64', 'queued:1', 'later:1', 'own:0']);
  });
});
