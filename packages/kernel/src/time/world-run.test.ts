import fc from 'fast-check';
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

describe('World.run', () => {
  it('returns the value at the instant at which it is there, and passes a rejection on', async () => {
    const world = new World();
    const { sleep } = kernel(world, 'h1');
    expect(await world.run(sleep(30).then(() => 'done'))).toBe('done');
    expect(world.nowUs).toBe(30);
    const failing = sleep(5).then(() => {
      throw new Error('as meant');
    });
    await expect(world.run(failing)).rejects.toThrow('as meant');
    expect(await world.run(Promise.resolve(3))).toBe(3);
    expect(world.nowUs).toBe(35);
  });

  it('says that nothing is left to happen', async () => {
    const world = new World();
    const { sleep, after } = kernel(world, 'h1');
    const stuck = sleep(10).then(() => new Promise(() => {}));
    await expect(world.run(stuck)).rejects.toThrow(
      'ETIMEDOUT: nothing is left to happen in this World at 10 µs, and the promise is pending',
    );
    after(5, () => {}).cancel();
    await expect(world.run(new Promise(() => {}))).rejects.toThrow('nothing is left to happen in this World at 10 µs');
  });

  it('gives up at the limit, stands there, and goes on when asked', async () => {
    const world = new World();
    const { sleep } = kernel(world, 'h1');
    await world.advance(7);
    const late = sleep(100).then(() => Promise.reject(new Error('late, and nobody listens')));
    await expect(world.run(late, { limitUs: 50 })).rejects.toThrow('ETIMEDOUT: the promise is still pending after 50 µs of virtual time');
    expect(world.nowUs).toBe(57);
    await world.advance(100);
    await expect(world.run(sleep(20), { limitUs: 20 })).resolves.toBeUndefined();
    await expect(world.run(sleep(20), { limitUs: -1 })).rejects.toThrow('EINVAL');
  });

  it('does not mind timers that were cancelled on the way', async () => {
    const world = new World();
    const { sleep, after } = kernel(world, 'h1');
    const program = async () => {
      for (let i = 0; i < 20; i++) {
        const guard = after(1_000_000, () => {});
        await sleep(3000);
        guard.cancel();
      }
    };
    await world.run(program());
    expect([world.nowUs, world.idle()]).toEqual([60_000, true]);
  });
});

/** A program of some kernels that talk by promises, timers and softirq, with chance; its log is all that can be seen. */
async function play(seed: number, hosts: number, rounds: number): Promise<string[]> {
  const world = new World({ seed });
  const log: string[] = [];
  const kernels = Array.from({ length: hosts }, (_, i) => kernel(world, `h${i}`));
  const boxes = kernels.map(() => [] as string[]);
  const polls = kernels.map(({ executive }, i) =>
    executive.softirq.register(
      {
        poll: (budget) => {
          const taken = boxes[i]!.splice(0, budget);
          for (const letter of taken) log.push(`${world.nowUs} h${i} got ${letter}`);
          return taken.length;
        },
      },
      1,
      'box',
    ),
  );
  const program = async (i: number) => {
    const random = world.random.fork(`h${i}`);
    for (let round = 0; round < rounds; round++) {
      await kernels[i]!.sleep(random.below(5) * 100);
      for (let hops = random.below(4); hops > 0; hops--) await null;
      const to = random.below(hosts);
      boxes[to]!.push(`${i}.${round}`);
      if (random.below(2) === 0) polls[to]!.raise();
      else kernels[to]!.after(random.below(3000), () => polls[to]!.raise());
      log.push(`${world.nowUs} h${i} sends to h${to}`);
    }
  };
  await world.run(Promise.all(kernels.map((_, i) => program(i))));
  await world.advance(10_000);
  return log;
}

describe('a virtual run', () => {
  it('is a function of its seed, with promises, beside other Worlds and host tasks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), fc.integer({ min: 1, max: 5 }), async (seed, hosts) => {
        const alone = await play(seed, hosts, 12);
        const noise = setInterval(() => {}, 0);
        const [beside, other] = await Promise.all([play(seed, hosts, 12), play(seed + 1, hosts, 12)]);
        clearInterval(noise);
        expect(beside).toEqual(alone);
        expect(alone.length).toBeGreaterThanOrEqual(12 * hosts);
        if (hosts > 1) expect(other).not.toEqual(alone);
      }),
      { numRuns: 15 },
    );
  });
});
