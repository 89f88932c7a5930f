import { describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import type { TimerAccount } from './wheel-timer.ts';
import { World } from './world.ts';

const account = (): TimerAccount => ({ owner: 1, label: 'm#1', armed: 0, dead: false });

function kernel(world: World, name: string) {
  const faults: string[] = [];
  const executive = new Executive({
    name,
    time: world.time,
    onFault: (owner, error, place) => void faults.push(`${owner} ${String(error)} ${place}`),
  });
  world.attach(executive);
  const owner = account();
  const after = (us: number, then: () => void, place = `${name}.after`) => {
    const timer = executive.wheel.timer(owner, then, null, place);
    timer.arm(us);
    return timer;
  };
  const sleep = (us: number) => new Promise<void>((resolve) => void after(us, () => resolve()));
  return { executive, faults, after, sleep, owner };
}

describe('World, virtual', () => {
  it('starts at 0 and moves only as told; the clock of a callback is the exact expiry', async () => {
    const world = new World();
    const { after, executive } = kernel(world, 'h1');
    const seen: number[] = [];
    for (const us of [5, 1_000_000, 77]) after(us, () => seen.push(executive.clock.nowUs));
    expect([world.nowUs, world.virtual, world.seed, world.idle()]).toEqual([0, true, 1, false]);
    await world.advance(77);
    expect([seen, world.nowUs]).toEqual([[5, 77], 77]);
    await world.advance(1_000_000);
    expect([seen, world.nowUs, world.idle()]).toEqual([[5, 77, 1_000_000], 1_000_077, true]);
  });

  it('orders what is due at one instant by kernel, then by sequence', async () => {
    const world = new World();
    const [a, b] = [kernel(world, 'a'), kernel(world, 'b')];
    const log: string[] = [];
    b.after(10, () => log.push('b1'));
    a.after(10, () => log.push('a1'));
    b.after(9, () => log.push('b0'));
    a.after(10, () => log.push('a2'));
    await world.advance(10);
    expect(log).toEqual(['b0', 'a1', 'a2', 'b1']);
  });

  it('drains all microtasks before time moves, however long their chain', async () => {
    const world = new World();
    const { after, sleep, executive } = kernel(world, 'h1');
    const log: string[] = [];
    after(10, () => log.push(`timer@${executive.clock.nowUs}`));
    const program = async () => {
      await sleep(5);
      for (let i = 0; i < 200; i++) await null;
      log.push(`program@${world.nowUs}`);
      await sleep(0);
      await sleep(2);
      log.push(`again@${world.nowUs}`);
    };
    await world.run(program());
    expect([log, world.nowUs]).toEqual([['program@5', 'again@7'], 7]);
    await world.advance(3);
    expect(log.at(-1)).toBe('timer@10');
  });

  it('runs softirq work now: next is now', async () => {
    const world = new World();
    const { executive, after } = kernel(world, 'h1');
    const log: string[] = [];
    let work = 1000;
    const source = {
      poll: (budget: number) => {
        const done = Math.min(budget, work);
        work -= done;
        log.push(`poll@${world.nowUs}`);
        return done;
      },
    };
    const poll = executive.softirq.register(source, 1, 'rx');
    after(3, () => poll.raise());
    after(4, () => log.push('timer@4'));
    await world.advance(4);
    expect([log.length, log[0], log.at(-2), log.at(-1)]).toEqual([17, 'poll@3', 'poll@3', 'timer@4']);
    poll.raise();
    expect(world.idle()).toBe(false);
    world.advanceSync(0);
    expect([log.length, world.idle()]).toEqual([18, true]);
  });

  it('lets one kernel wake another at the same instant, whichever comes first', () => {
    const world = new World();
    const [a, b] = [kernel(world, 'a'), kernel(world, 'b')];
    const log: string[] = [];
    const poll = a.executive.softirq.register({ poll: () => log.push(`a@${world.nowUs}`) }, 1, 'wire');
    b.after(7, () => {
      poll.raise();
      a.after(1, () => log.push(`later@${world.nowUs}`));
    });
    a.after(100, () => log.push('far'));
    world.advanceSync(50);
    expect(log).toEqual(['a@7', 'later@8']);
  });

  it('is exact where the earliest timer was cancelled and others of its slot are later', () => {
    const world = new World();
    const [a, b] = [kernel(world, 'a'), kernel(world, 'b')];
    const log: string[] = [];
    a.after(5000, () => log.push('never')).cancel();
    a.after(8000, () => log.push(`a@${world.nowUs}`));
    const first = a.after(4200, () => log.push('never'));
    b.after(4300, () => {
      log.push(`b@${world.nowUs}`);
      a.after(10, () => log.push(`a@${world.nowUs}`));
    });
    first.cancel();
    world.advanceSync(10_000);
    expect(log).toEqual(['b@4300', 'a@4310', 'a@8000']);
  });

  it('takes a detached kernel out of the queue, also in its own turn', async () => {
    const world = new World();
    const [a, b] = [kernel(world, 'a'), kernel(world, 'b')];
    const log: string[] = [];
    a.after(5, () => {
      log.push('a');
      world.detach(a.executive);
      world.detach(b.executive);
    });
    a.after(6, () => log.push('a gone'));
    b.after(6, () => log.push('b gone'));
    expect(world.executives.map(({ name }) => name)).toEqual(['a', 'b']);
    await world.advance(10);
    expect([log, world.executives, world.idle()]).toEqual([['a'], [], true]);
    b.after(1, () => log.push('after'));
    world.detach(b.executive);
    await world.advance(10);
    expect(log).toEqual(['a']);
  });

  it('refuses a kernel of another World, and one that has a World', () => {
    const [world, other] = [new World(), new World()];
    const { executive } = kernel(world, 'h1');
    expect(() => other.attach(executive)).toThrow('EINVAL: kernel h1 was made with the time of another World');
    expect(() => world.attach(executive)).toThrow('EBUSY: kernel h1 is attached to a World already');
  });

  it('reports faults of timers and polls to their kernel, and goes on', async () => {
    const world = new World();
    const { after, executive, faults } = kernel(world, 'h1');
    const log: string[] = [];
    after(1, () => {
      throw new Error('timer');
    });
    after(1, () => log.push('next'));
    let broken = true;
    executive.softirq
      .register(
        {
          poll: () => {
            log.push('poll');
            if (!broken) return 0;
            broken = false;
            throw new Error('poll');
          },
        },
        4,
        'rx',
      )
      .raise();
    await world.advance(1);
    expect(faults).toEqual(['4 Error: poll rx', '1 Error: timer h1.after']);
    expect([log, executive.current.id]).toEqual([['poll', 'poll', 'next'], 0]);
  });

  it('names the kernel and the place of an instant that does not end', async () => {
    const world = new World({ maxStepsPerInstant: 1000 });
    const { after, executive } = kernel(world, 'h7');
    const again = after(5, () => again.arm(0), 'tcp.rto');
    await expect(world.advance(10)).rejects.toThrow(
      "ELOOP: 5 µs does not end: more than 1000 steps at this instant, the last in kernel h7 at 'tcp.rto'",
    );
    again.cancel();
    const poll = executive.softirq.register({ poll: () => 64 }, 1, 'nic.rx');
    poll.raise();
    expect(() => world.advanceSync(1)).toThrow("in kernel h7 at 'nic.rx'");
    poll.remove();
    world.advanceSync(5);
    expect(world.nowUs).toBe(10);
  });

  it('counts steps of one instant across microtasks too', async () => {
    const world = new World({ maxStepsPerInstant: 100 });
    const { sleep } = kernel(world, 'h1');
    const forever = (async () => {
      for (;;) await sleep(0);
    })();
    await expect(world.run(forever)).rejects.toThrow('ELOOP');
  });

  it('does not mistake many steps at different instants, or many calls, for an endless instant', () => {
    const world = new World({ maxStepsPerInstant: 10 });
    const { after } = kernel(world, 'h1');
    let left = 100;
    const tick = after(1, () => --left > 0 && tick.arm(1));
    world.advanceSync(1000);
    expect(left).toBe(0);
    for (let i = 0; i < 30; i++) {
      after(0, () => left++);
      world.advanceSync(0);
    }
    expect(left).toBe(30);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to advance by %s', async (us) => {
    const world = new World();
    await expect(world.advance(us)).rejects.toThrow('EINVAL: advance takes a whole number of microseconds');
    expect(() => world.advanceSync(us)).toThrow('EINVAL');
    await world.advance(1);
    expect(world.nowUs).toBe(1);
  });

  it('refuses to be moved by two at once', async () => {
    const world = new World();
    const { after } = kernel(world, 'h1');
    const refusals: string[] = [];
    after(1, () => {
      try {
        world.advanceSync(1);
      } catch (error) {
        refusals.push(String(error));
      }
    });
    const first = world.advance(5);
    await expect(world.advance(5)).rejects.toThrow('EBUSY: advance: another advance or run moves this World now');
    await first;
    expect(refusals).toEqual(['NetError: EBUSY: advanceSync: another advance or run moves this World now; await it first']);
    expect(world.nowUs).toBe(5);
  });
});
