import type { PollSource } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TurnTaker } from './turns.ts';
import { Turns } from './turns.ts';

class Worker implements TurnTaker {
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  work = 0;
  onTurn: () => void = () => {};
  readonly name: string;
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    this.name = name;
    this.#log = log;
  }
  turn(budget: number): number {
    const done = Math.min(budget, this.work);
    this.work -= done;
    this.#log.push(`${this.name}:${done}`);
    this.onTurn();
    return done;
  }
}

function setup(names: string) {
  let raised = 0;
  let source: PollSource | null = null;
  const turns = new Turns((made) => {
    source = made;
    return { raise: () => void raised++ };
  });
  const log: string[] = [];
  const workers = [...names].map((name) => new Worker(name, log));
  return { turns, log, workers, poll: (budget: number) => source!.poll(budget), raised: () => raised };
}

describe('Turns', () => {
  it('gives turns in the order of asking, each what is left of the budget', () => {
    const { turns, log, workers, poll } = setup('abc');
    const [a, b, c] = workers as [Worker, Worker, Worker];
    a.work = 3;
    b.work = 4;
    for (const each of [c, a, b, a]) turns.ask(each);
    expect(poll(10)).toBe(7);
    expect(log).toEqual(['c:0', 'a:3', 'b:4']);
    expect(poll(10)).toBe(0);
    expect(log).toHaveLength(3);
  });

  it('puts who used his budget up behind the others, and says that there is more', () => {
    const { turns, log, workers, poll } = setup('ab');
    const [a, b] = workers as [Worker, Worker];
    a.work = 25;
    b.work = 1;
    turns.ask(a);
    turns.ask(b);
    expect([poll(10), poll(10), poll(10)]).toEqual([10, 10, 6]);
    expect(log).toEqual(['a:10', 'b:1', 'a:9', 'a:6']);
  });

  it('lets one ask again in its own turn, and another forget one that waits', () => {
    const { turns, log, workers, poll } = setup('abc');
    const [a, b, c] = workers as [Worker, Worker, Worker];
    let again = true;
    a.onTurn = () => {
      turns.forget(b);
      turns.forget(c);
      if (again) turns.ask(a);
      again = false;
    };
    for (const each of [a, b, c]) turns.ask(each);
    expect(poll(10)).toBe(0);
    expect(log).toEqual(['a:0', 'a:0']);
    turns.ask(c);
    turns.forget(a);
    poll(10);
    expect(log.at(-1)).toBe('c:0');
  });

  it('does all the work, and nobody twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 16 }), (works, budget) => {
        const { turns, workers, poll } = setup('abcdefgh'.slice(0, works.length));
        for (const [at, worker] of workers.entries()) {
          worker.work = works[at]!;
          turns.ask(worker);
          turns.ask(worker);
        }
        let done = 0;
        for (let polls = 0; workers.some(({ waiting }) => waiting); polls++) {
          expect(polls).toBeLessThan(1000);
          const more = poll(budget);
          expect(more).toBeLessThanOrEqual(budget);
          done += more;
        }
        expect(workers.every(({ work }) => work === 0)).toBe(true);
        expect(done).toBeLessThanOrEqual(works.reduce((sum, work) => sum + work));
      }),
    );
  });

  it('gives another turn to who was thrown out of his, as his work may not be done', () => {
    const { turns, log, workers, poll, raised } = setup('ab');
    const [a, b] = workers as [Worker, Worker];
    a.work = 3;
    b.work = 1;
    turns.ask(a);
    turns.ask(b);
    a.onTurn = () => {
      a.onTurn = () => {};
      throw new Error('of a packet of his');
    };
    expect(() => poll(2)).toThrow('of a packet');
    expect([a.waiting, raised()]).toEqual([true, 3]);
    poll(10);
    expect(log).toEqual(['a:2', 'b:1', 'a:1']);
  });

  it('is raised once for those who wait at once', () => {
    const { turns, workers, raised } = setup('ab');
    turns.ask(workers[0]!);
    turns.ask(workers[0]!);
    expect(raised()).toBe(1);
  });
});
