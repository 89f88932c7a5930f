import type { DeviceOps } from '@softnet/contract';
import { NetDevice, RxQueue } from '@softnet/contract';
import { etherLink } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiveLine } from './receive-line.ts';
import { WaitingLines } from './waiting-lines.ts';

const device = new NetDevice({} as DeviceOps, etherLink);

function lineWith(priority: number, index = 0): ReceiveLine {
  const queue = new RxQueue(device, index);
  queue.priority = priority;
  return new ReceiveLine(queue, null);
}

describe('WaitingLines', () => {
  it('is a queue where all have one priority', () => {
    const action = fc.oneof(fc.record({ add: fc.nat(9) }), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.nat(15), fc.array(action, { maxLength: 200 }), (priority, actions) => {
        const waiting = new WaitingLines();
        const lines = Array.from({ length: 10 }, (_, i) => lineWith(priority, i));
        const model: ReceiveLine[] = [];
        for (const each of actions) {
          if (each === 'take') expect(waiting.take()).toBe(model.shift() ?? null);
          else if (!model.includes(lines[each.add]!)) {
            waiting.add(lines[each.add]!);
            model.push(lines[each.add]!);
          }
          for (const line of lines) expect(line.waits).toBe(model.includes(line));
        }
      }),
    );
  });

  it('gives seven turns of eight to the highest priority, in turn within it', () => {
    const waiting = new WaitingLines();
    const [low, one, other] = [lineWith(0), lineWith(9, 1), lineWith(9, 2)];
    for (const line of [low, one, other]) waiting.add(line);
    const turns = Array.from({ length: 24 }, () => {
      const line = waiting.take()!;
      waiting.add(line);
      return line;
    });
    expect(turns.filter((line) => line === low).length).toBe(3);
    const high = turns.filter((line) => line !== low);
    for (let i = 1; i < high.length; i++) expect(high[i]).not.toBe(high[i - 1]);
  });

  it('lets nobody starve: whoever waits has a turn within 120, however many others always wait', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15), { minLength: 2, maxLength: 16 }), (priorities) => {
        const waiting = new WaitingLines();
        const distinct = [...new Set(priorities)];
        const lines = distinct.map((priority, i) => lineWith(priority, i));
        for (const line of lines) waiting.add(line);
        const last = new Map(lines.map((line) => [line, 0]));
        let longest = 0;
        for (let turn = 1; turn <= 400; turn++) {
          const line = waiting.take()!;
          last.set(line, turn);
          waiting.add(line);
          for (const each of lines) longest = Math.max(longest, turn - last.get(each)!);
        }
        expect(longest).toBeLessThanOrEqual(120);
      }),
      { numRuns: 30 },
    );
  });
});
