import { expect, test } from 'vitest';
import { TraceLog } from './trace-log.ts';

const fill = (log: TraceLog, count: number): void => {
  for (let i = 0; i < count; i++) if (log.admits()) log.add(`line ${i}`);
};

test('the last lines are kept, oldest first', () => {
  const log = new TraceLog({ keepLines: 3 });
  fill(log, 2);
  expect(log.kept()).toEqual(['line 0', 'line 1']);
  fill(log, 5);
  expect(log.kept()).toEqual(['line 2', 'line 3', 'line 4']);
  fill(log, 1);
  expect(log.kept()).toEqual(['line 3', 'line 4', 'line 0']);
  expect([log.lines, log.missed]).toEqual([8, 0]);
});

test('lines wait for the end of the turn, not without bound, and are given once', () => {
  const got: string[] = [];
  const log = new TraceLog({ write: (line) => void got.push(line) });
  fill(log, 5000);
  expect([got.length, log.lines, log.missed]).toEqual([0, 4096, 904]);
  log.flush();
  log.flush();
  expect([got.length, got.at(-1)]).toEqual([4096, 'line 4095']);
  fill(log, 1);
  log.flush();
  expect([got.length, log.kept()]).toEqual([4097, []]);
});

test('what write throws ends the trace alone, and what it does not tell of is counted', () => {
  const thrown = new Error('the disk is full');
  let calls = 0;
  const log = new TraceLog({
    write: () => {
      if (++calls === 3) throw thrown;
    },
  });
  fill(log, 10);
  log.flush();
  expect([calls, log.lines, log.missed, log.error]).toEqual([3, 2, 8, thrown]);
  fill(log, 10);
  log.flush();
  expect([calls, log.lines, log.missed]).toEqual([3, 2, 18]);
});

test('says what is wrong with options', () => {
  expect(() => new TraceLog({ write: 7 as never })).toThrow('EINVAL: trace: write takes a function of a line, got 7');
  expect(() => new TraceLog({ keepLines: 0 })).toThrow('EINVAL: trace: keepLines takes 1 to 1000000, got 0');
});
