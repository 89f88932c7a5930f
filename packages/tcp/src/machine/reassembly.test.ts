import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reassembly } from './reassembly.ts';
import { SackReport } from './sack-report.ts';

/** Counts references, and says what is left. */
class Owner {
  kept = 0;
  keep(): void {
    this.kept++;
  }
  drop(): void {
    this.kept--;
  }
}

function read(queue: Reassembly, rcvNxt: number, bytes: number[]): number {
  let next = rcvNxt;
  for (let piece = queue.ready(next); piece !== null; piece = queue.ready(next)) {
    const payload = piece.payload as number[];
    bytes.push(...payload.slice(piece.skipBytes, piece.skipBytes + ((piece.end - piece.seq) | 0)));
    next = piece.end;
    queue.shift();
  }
  return next;
}

const segment = fc.record({ at: fc.nat(60), len: fc.integer({ min: 1, max: 25 }), fill: fc.nat(255) });

test('the first octets win, pieces are bounded, references add up: as an array of octets would have it, over the wrap too', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 25 }), fc.constantFrom(0, 2 ** 31 - 30, -20), (segments, base) => {
      const owner = new Owner();
      const queue = new Reassembly(owner, 99);
      const model = new Array<number | undefined>(100);
      let next = 0;
      const bytes: number[] = [];
      for (const { at, len, fill } of segments) {
        const first = Math.max(at, next);
        const payload = new Array(len).fill(fill);
        if (first >= at + len) continue;
        const isNew = Array.from({ length: at + len - first }, (_, i) => first + i).filter((octet) => model[octet] === undefined);
        expect(queue.holds((base + first) | 0, (base + at + len) | 0)).toBe(isNew.length === 0);
        expect(queue.insert((base + first) | 0, (base + at + len) | 0, payload)).toBe(isNew.length);
        for (const octet of isNew) model[octet] = fill;
        for (let octet = next; octet < 85; octet += 3) {
          let [left, right] = [octet, octet];
          if (model[octet] !== undefined) {
            while (left > next && model[left - 1] !== undefined) left--;
            while (model[right] !== undefined) right++;
          }
          expect([(queue.runLeft((base + octet) | 0) - base) | 0, (queue.runRight((base + octet) | 0) - base) | 0]).toEqual([left, right]);
        }
        if (fill % 4 === 0) next = (read(queue, (base + next) | 0, bytes) - base) | 0;
        expect(bytes).toEqual(model.slice(0, next));
        expect(owner.kept).toBe(queue.pieces);
        expect(queue.bytes).toBe(model.filter((octet, i) => octet !== undefined && i >= next).length);
      }
      queue.clear();
      expect([owner.kept, queue.bytes, queue.pieces]).toEqual([0, 0, 0]);
    }),
    { numRuns: 150 },
  );
});

test('of too many pieces the rest is not taken', () => {
  const queue = new Reassembly(new Owner(), 3);
  expect([1, 3, 5, 7].map((seq) => queue.insert(seq, seq + 1, []))).toEqual([1, 1, 1, 0]);
  expect(queue.insert(1, 9, [])).toBe(0);
});

test('what is before RCV.NXT is trimmed', () => {
  const queue = new Reassembly(new Owner(), 9);
  queue.insert(10, 20, []);
  queue.insert(30, 40, []);
  expect([queue.ready(9), queue.ready(15)]).toMatchObject([null, { seq: 15, end: 20, skipBytes: 5 }]);
  expect([queue.bytes, queue.ready(25), queue.pieces]).toEqual([15, null, 1]);
});

function report(): { queue: Reassembly; sack: SackReport; arrive: (seq: number) => number[]; blocks: () => number[] } {
  const queue = new Reassembly(new Owner(), 99);
  const sack = new SackReport();
  const blocks = (): number[] => [...sack.edges.slice(0, 2 * sack.count)];
  const arrive = (seq: number): number[] => {
    queue.insert(seq, seq + 500, []);
    sack.arrived(seq, queue);
    return blocks();
  };
  return { queue, sack, arrive, blocks };
}

test('RFC 2018 §7, case 2: the first of eight segments is lost', () => {
  const { arrive } = report();
  expect([5500, 6000, 6500].map(arrive)).toEqual([
    [5500, 6000],
    [5500, 6500],
    [5500, 7000],
  ]);
});

test('RFC 2018 §7, case 3: every second is lost, then the fourth and the second come', () => {
  const { arrive, sack } = report();
  expect([5500, 6500, 7500, 8500].map(arrive).at(-1)).toEqual([8500, 9000, 7500, 8000, 6500, 7000, 5500, 6000]);
  expect(arrive(7000)).toEqual([6500, 8000, 8500, 9000, 5500, 6000]);
  sack.acknowledged(6000);
  expect([...sack.edges.slice(0, 4), sack.count]).toEqual([6500, 8000, 8500, 9000, 2]);
});

test('RFC 2018 §4: four blocks at most, the newest', () => {
  const { arrive } = report();
  expect([1000, 2000, 3000, 4000, 5000].map(arrive).at(-1)).toEqual([5000, 5500, 4000, 4500, 3000, 3500, 2000, 2500]);
});

test('RFC 2883 §4: what came twice is said first, and once', () => {
  const { arrive, sack, blocks } = report();
  arrive(4500);
  sack.duplicate(3000, 3500);
  expect(blocks()).toEqual([3000, 3500, 4500, 5000]);
  sack.acknowledged(4000);
  expect(blocks()).toEqual([3000, 3500, 4500, 5000]);
  sack.duplicate(4500, 5000);
  expect(blocks()).toEqual([4500, 5000, 4500, 5000]);
  sack.sent();
  sack.sent();
  expect(blocks()).toEqual([4500, 5000]);
  sack.duplicate(1, 2);
  expect(arrive(6000)).toEqual([6000, 6500, 4500, 5000]);
});

test('once warm a segment in disorder is no garbage', () => {
  const queue = new Reassembly(new Owner(), 99);
  const sack = new SackReport();
  const payload = {};
  let next = 0;
  const bytes = heapPerCall(0.3, () => {
    for (const ahead of [100, 300, 200]) {
      queue.insert((next + ahead) | 0, (next + ahead + 100) | 0, payload);
      sack.arrived((next + ahead) | 0, queue);
    }
    next = (next + 100) | 0;
    for (let piece = queue.ready(next); piece !== null; piece = queue.ready(next)) {
      next = piece.end;
      queue.shift();
    }
    sack.acknowledged(next);
  });
  expect(bytes).toBeLessThan(0.3);
});
