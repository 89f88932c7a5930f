import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDuplicateSack, NextSegment, Scoreboard } from './scoreboard.ts';

/** RFC 6675 §4 octet by octet, from sequence number 0, as it is written. */
class Model {
  highAck = 0;
  highData = 0;
  highRxt = 0;
  readonly smss: number;
  readonly sacked = new Set<number>();
  constructor(smss: number) {
    this.smss = smss;
  }
  isLost(seq: number): boolean {
    const above = [...this.sacked].filter((octet) => octet > seq);
    const starts = above.filter((octet) => !this.sacked.has(octet - 1));
    return starts.length >= 3 || above.length > 2 * this.smss;
  }
  get pipe(): number {
    let pipe = 0;
    for (let s1 = this.highAck; s1 < this.highData; s1++) {
      if (this.sacked.has(s1)) continue;
      if (!this.isLost(s1)) pipe++;
      if (s1 < this.highRxt) pipe++;
    }
    return pipe;
  }
  /** Rules 1 to 4 with a rescue not yet made. */
  next(unsent: number): { rule: number; seq: number } {
    const highest = Math.max(-1, ...this.sacked);
    for (const rule of [1, 2, 3]) {
      if (rule === 2 && unsent > 0) return { rule, seq: this.highData };
      if (rule === 2) continue;
      for (let s2 = Math.max(this.highAck, this.highRxt); s2 < highest; s2++)
        if (!this.sacked.has(s2) && (rule === 3 || this.isLost(s2))) return { rule, seq: s2 };
    }
    let last = this.highData - 1;
    while (this.sacked.has(last)) last--;
    return last < this.highAck ? { rule: 0, seq: 0 } : { rule: 4, seq: last };
  }
}

const SMSS = 100;
function outstanding(segments: number, base = 0): Scoreboard {
  const board = new Scoreboard();
  board.reset(base);
  board.smssBytes = SMSS;
  board.sent((base + segments * SMSS) | 0);
  return board;
}
function next(board: Scoreboard, unsent = 0): [rule: number, seq: number, lenBytes: number] {
  const into = new NextSegment();
  board.nextSegment(unsent, into);
  return into.rule === 0 ? [0, 0, 0] : [into.rule, into.seq, into.lenBytes];
}

describe('RFC 6675 §4', () => {
  test('IsLost: three ranges above, or more than two segments’ octets', () => {
    const board = outstanding(10);
    board.update(200, 300);
    board.update(400, 500);
    expect([board.isLost(0), board.isLost(300)]).toEqual([false, false]);
    board.update(600, 601);
    expect([board.isLost(0), board.isLost(300)]).toEqual([true, false]);
    const octets = outstanding(10);
    octets.update(500, 700);
    expect(octets.isLost(0)).toBe(false);
    octets.update(700, 701);
    expect(octets.isLost(0)).toBe(true);
  });

  test('NextSeg: rules 1, 2, 3, 4, and the rescue once', () => {
    const board = outstanding(10);
    board.update(200, 300);
    board.update(500, 801);
    board.enterRecovery();
    expect(next(board, 50)).toEqual([1, 0, 100]);
    board.retransmitted(100);
    expect(next(board, 50)).toEqual([1, 100, 100]);
    board.retransmitted(200);
    expect(next(board, 50)).toEqual([1, 300, 100]);
    board.retransmitted(500);
    expect(next(board, 50)).toEqual([2, 1000, 50]);
    expect(next(board, 500)).toEqual([2, 1000, 100]);
    expect(next(board)).toEqual([4, 900, 100]);
    board.rescue();
    expect(next(board)).toEqual([0, 0, 0]);
    board.acknowledge(900);
    expect(next(board)).toEqual([0, 0, 0]);
  });

  test('NextSeg (3): a hole that is not lost yet, where there is nothing new', () => {
    const board = outstanding(4);
    board.update(100, 200);
    board.enterRecovery();
    expect([next(board, 9), next(board)]).toEqual([
      [2, 400, 9],
      [3, 0, 100],
    ]);
  });

  test('SetPipe: lost is not in the network, but what was sent again is', () => {
    const board = outstanding(10);
    expect(board.pipe()).toBe(1000);
    board.update(500, 800);
    expect(board.pipe()).toBe(200);
    board.enterRecovery();
    board.retransmitted(100);
    expect(board.pipe()).toBe(300);
  });
});

test('RFC 6675 §5.1: after a timeout all that is not SACKed is lost, in order, and SACKs that come are used', () => {
  const board = outstanding(5);
  board.update(200, 300);
  board.expire();
  expect([board.pipe(), board.recoveryPoint]).toEqual([0, 500]);
  expect(next(board, 999)).toEqual([1, 0, 100]);
  board.retransmitted(100);
  board.acknowledge(100);
  board.retransmitted(200);
  expect(next(board, 999)).toEqual([1, 300, 100]);
  board.retransmitted(500);
  expect(next(board, 999)).toEqual([2, 500, 100]);
  board.acknowledge(500);
  board.sent(600);
  expect([board.timedOut, board.pipe()]).toEqual([false, 100]);
});

test('RFC 2018 §8: a receiver that reneges is noticed, and its SACKs forgotten at the timeout', () => {
  const board = outstanding(5);
  board.update(100, 200);
  expect(board.isReneging).toBe(false);
  board.acknowledge(100);
  expect(board.isReneging).toBe(true);
  board.expire();
  expect([board.sacked.bytes, ...next(board)]).toEqual([0, 1, 100, 100]);
});

test.each([
  ['empty', 200, 200],
  ['backwards', 300, 200],
  ['acknowledged', 0, 50],
  ['from the acknowledgement on', 100, 200],
  ['not sent', 400, 501],
  ['half the numbers away', 200, (200 + 2 ** 31) | 0],
])('a lie is not believed: %s', (_, left, right) => {
  const board = outstanding(5);
  board.acknowledge(100);
  expect([board.update(left, right), board.sacked.count]).toEqual([0, 0]);
});

test.each<[string, number, number[], boolean]>([
  ['RFC 2883 §4.1: below the acknowledgement', 4000, [3000, 3500], true],
  ['§4.1: at it', 4000, [3500, 4000], true],
  ['§4.2: within the second block', 4000, [5000, 5500, 4500, 6000], true],
  ['§4.2: the whole of it', 4000, [4500, 6000, 4500, 6000], true],
  ['an ordinary one', 4000, [5000, 5500], false],
  ['two ordinary ones', 4000, [5000, 5500, 6000, 6500], false],
  ['over the acknowledgement', 4000, [3500, 4500], false],
  ['empty', 4000, [3500, 3500], false],
])('D-SACK: %s', (_, ack, [left, right, left2, right2], is) => {
  expect(isDuplicateSack(ack, left!, right!, left2 === undefined ? 1 : 2, left2 ?? 0, right2 ?? 0)).toBe(is);
});

const command = fc.oneof(
  fc.record({ kind: fc.constant('sack' as const), a: fc.nat(90), b: fc.integer({ min: 1, max: 25 }) }),
  fc.record({ kind: fc.constantFrom('ack' as const, 'again' as const), a: fc.nat(12), b: fc.constant(0) }),
);

test('IsLost, pipe, NextSeg are those of the octets, over the wrap too', () => {
  const commands = fc.array(command, { maxLength: 14 });
  fc.assert(
    fc.property(commands, fc.constantFrom(0, 2 ** 31 - 40, -30), fc.integer({ min: 1, max: 12 }), fc.nat(1), (all, base, smss, unsent) => {
      const [board, model] = [new Scoreboard(), new Model(smss)];
      board.reset(base);
      board.smssBytes = smss;
      board.sent((base + 100) | 0);
      model.highData = 100;
      for (const { kind, a, b } of all) {
        if (kind === 'sack') {
          const [left, right] = [model.highAck + 1 + a, model.highAck + 1 + a + b];
          const before = model.sacked.size;
          if (right <= 100) for (let i = left; i < right; i++) model.sacked.add(i);
          expect(board.update((base + left) | 0, (base + right) | 0)).toBe(model.sacked.size - before);
        } else if (kind === 'ack') {
          model.highAck = Math.min(model.highAck + a, 100);
          model.highRxt = Math.max(model.highRxt, model.highAck);
          for (const octet of model.sacked) if (octet < model.highAck) model.sacked.delete(octet);
          board.acknowledge((base + model.highAck) | 0);
        } else {
          model.highRxt = Math.min(100, model.highRxt + a);
          board.retransmitted((base + model.highRxt) | 0);
        }
        expect(board.pipe()).toBe(model.pipe);
        expect(board.sacked.bytes).toBe(model.sacked.size);
        for (let seq = model.highAck; seq < 100; seq += 7)
          if (!model.sacked.has(seq)) expect(board.isLost((base + seq) | 0)).toBe(model.isLost(seq));
        const want = model.next(unsent);
        const [rule, seq, lenBytes] = next(board, unsent);
        expect(rule).toBe(want.rule);
        if (rule === 0) continue;
        const at = (seq - base) | 0;
        expect(lenBytes).toBeLessThanOrEqual(smss);
        if (rule === 4) expect(at + lenBytes - 1).toBe(want.seq);
        else expect(at).toBe(want.seq);
      }
    }),
    { numRuns: 150 },
  );
});

test('memory is bounded: of a thousand and more holes the rest is not remembered', () => {
  const board = outstanding(100);
  for (let i = 0; i < 4000; i++) board.update(2 + i * 2, 3 + i * 2);
  expect([board.sacked.count, board.sacked.left.length, board.sacked.bytes]).toEqual([1024, 1024, 1024]);
  board.update(1, 9000);
  expect([board.sacked.count, board.sacked.bytes]).toEqual([1, 8999]);
});

test('an acknowledgement with SACK is no garbage', () => {
  const board = outstanding(1000);
  const into = new NextSegment();
  let pipe = 0;
  const bytes = heapPerCall(0.3, (call) => {
    const at = board.highAck;
    board.sent((at + 100_000) | 0);
    board.update((at + 200) | 0, (at + 300 + (call & 3) * 200) | 0);
    board.nextSegment(0, into);
    pipe ^= board.pipe();
    board.acknowledge((at + 100) | 0);
  });
  expect(bytes).toBeLessThan(0.3);
  expect(pipe).toBeTypeOf('number');
});
