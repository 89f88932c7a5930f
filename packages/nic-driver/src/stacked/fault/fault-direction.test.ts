import type { Skb, Timer } from '@softnet/contract';
import { CHECKSUM, DropReason } from '@softnet/contract';
import { copyIn, makePool, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CableRandom, chanceOf } from '../../virtual-wire/cable-random.ts';
import { FaultDirection } from './fault-direction.ts';
import { changeLine, FaultLine, isLost } from './fault-line.ts';
import type { FaultSettings } from './fault-settings.ts';
import { NO_FAULTS } from './fault-settings.ts';
import { FrameDamage } from './frame-damage.ts';

/** A frame that comes out, and when. */
interface Seen {
  readonly atUs: number;
  readonly bytes: Uint8Array;
}

interface Sent {
  readonly atUs: number;
  readonly lenBytes: number;
}

const pool = makePool({ buffers: 4096, pages: 64 });
const reader = new SkbReader();

function bytesOf(skb: Skb): Uint8Array {
  const bytes = new Uint8Array(skb.len);
  if (reader.open(skb)) reader.copyOut(bytes);
  return bytes;
}

/** Content that says which frame it is. */
function frame(number: number, lenBytes: number): Uint8Array {
  return new Uint8Array(lenBytes).fill(number + 1);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes;
}

/** One direction under a clock that the test moves. */
class Bench {
  readonly seen: Seen[] = [];
  readonly drops = { lost: new DropReason(1, 'lost', ''), cut: new DropReason(2, 'cut', ''), full: new DropReason(3, 'full', '') };
  readonly line: FaultLine;
  readonly direction: FaultDirection;
  nowUs = 0;
  whenUs = Number.POSITIVE_INFINITY;
  departed = 0;
  #fire = () => {};

  constructor(settings: FaultSettings, seed: number) {
    this.line = new FaultLine(seed, 0);
    changeLine(this.line, settings);
    const bench = this;
    const timer = (fire: (direction: FaultDirection) => void, direction: FaultDirection): Timer => {
      this.#fire = () => fire(direction);
      return {
        get armed() {
          return bench.whenUs < Number.POSITIVE_INFINITY;
        },
        get whenUs() {
          return bench.whenUs;
        },
        arm: (delayUs) => {
          this.whenUs = this.nowUs + delayUs;
        },
        armAt: (whenUs) => {
          this.whenUs = whenUs;
        },
        cancel: () => {
          this.whenUs = Number.POSITIVE_INFINITY;
        },
      };
    };
    const clock = {
      get nowUs() {
        return bench.nowUs;
      },
      nowMs: 0,
      virtual: true,
      readUs: () => this.nowUs,
    };
    const exit = {
      ifindex: 5,
      out: (skb: Skb) => this.#out(skb),
      departed: (packets: number) => {
        this.departed += packets;
      },
      room: () => {},
    };
    this.direction = new FaultDirection({ clock, damage: new FrameDamage(), ...this.drops, timer }, this.line, exit);
  }

  send(frames: readonly Sent[], latestFirst = false): void {
    for (const [number, { atUs, lenBytes }] of frames.entries()) {
      this.advance(latestFirst ? atUs - 1 : atUs);
      this.nowUs = atUs;
      const skb = pool.alloc(64, Math.min(lenBytes, 1900))!;
      copyIn(skb, frame(number, lenBytes));
      if (this.direction.full) this.direction.refuse(skb);
      else this.direction.put(skb);
      this.direction.settle();
    }
  }

  /** Until this time, whatever is due. */
  advance(untilUs: number): void {
    while (this.whenUs < Number.POSITIVE_INFINITY && this.whenUs <= untilUs) {
      this.nowUs = Math.max(this.nowUs, this.whenUs);
      this.whenUs = Number.POSITIVE_INFINITY;
      this.#fire();
    }
    if (untilUs !== Number.POSITIVE_INFINITY) this.nowUs = Math.max(this.nowUs, untilUs);
  }

  #out(skb: Skb): void {
    this.seen.push({ atUs: this.nowUs, bytes: bytesOf(skb) });
    pool.release(skb);
  }
}

/** What is to come out, and when: all that FaultDirection does, said plainly, in exact numbers. */
function model(settings: FaultSettings, seed: number, frames: readonly Sent[]): Seen[] {
  const random = new CableRandom(seed, 0);
  const happens = (fraction: number): boolean => random.happens(chanceOf(fraction));
  const rate = BigInt(settings.rateBps);
  let freeUs = 0n;
  let rest = 0n;
  let inBurst = false;
  const out: Seen[] = [];
  const flight = (): number => {
    const us = settings.delayUs + random.below(settings.jitterUs + 1);
    return happens(settings.reorder) ? us + Math.max(3 * settings.delayUs, 1000) : us;
  };
  for (const [number, { atUs, lenBytes }] of frames.entries()) {
    let departUs = BigInt(atUs);
    if (rate > 0n) {
      const work = BigInt(lenBytes) * 8_000_000n + rest;
      freeUs = (departUs > freeUs ? departUs : freeUs) + work / rate;
      rest = work % rate;
      departUs = freeUs;
    }
    inBurst = inBurst ? !happens(settings.burstEnd) : happens(settings.burstBegin);
    if (happens(inBurst ? settings.burstLoss : settings.loss)) continue;
    const bytes = frame(number, lenBytes);
    if (happens(settings.corrupt)) flipped(bytes, random.below(8 * lenBytes));
    out.push({ atUs: Number(departUs) + flight(), bytes });
    if (happens(settings.duplicate)) out.push({ atUs: Number(departUs) + flight(), bytes });
  }
  // Equal times in the order of departure: the sort is stable.
  return out.sort((a, b) => a.atUs - b.atUs);
}

const fraction = fc.constantFrom(0, 0.02, 0.2, 0.7, 1);
const settings: fc.Arbitrary<FaultSettings> = fc.record({
  rateBps: fc.constantFrom(0, 9600, 1_000_003, 10_000_000, 999_999_937),
  delayUs: fc.constantFrom(0, 1, 500, 30_000),
  jitterUs: fc.constantFrom(0, 1, 800),
  loss: fraction,
  duplicate: fraction,
  reorder: fraction,
  corrupt: fraction,
  queueFrames: fc.constant(65_536),
  burstBegin: fc.constantFrom(0, 0, 0.1, 1),
  burstEnd: fraction,
  burstLoss: fraction,
});
const frames: fc.Arbitrary<Sent[]> = fc
  .array(fc.record({ gapUs: fc.oneof(fc.constant(0), fc.nat(2000)), lenBytes: fc.integer({ min: 14, max: 1800 }) }), { maxLength: 60 })
  .map((gaps) => {
    let atUs = 0;
    return gaps.map(({ gapUs, lenBytes }) => {
      atUs += gapUs;
      return { atUs, lenBytes };
    });
  });

test('what comes out, and when, is what a plain model says, to the µs and to the bit', () => {
  fc.assert(
    fc.property(settings, fc.integer(), frames, fc.boolean(), (given, seed, sent, latestFirst) => {
      const bench = new Bench(given, seed);
      bench.send(sent, latestFirst);
      bench.advance(Number.POSITIVE_INFINITY);
      const expected = model(given, seed, sent);
      expect(bench.seen.map(({ atUs }) => atUs)).toEqual(expected.map(({ atUs }) => atUs));
      expect(expected.filter(({ bytes }, i) => Buffer.compare(bytes, bench.seen[i]!.bytes) !== 0)).toEqual([]);
      const { lost, duplicated, refused } = bench.line.counts;
      expect([expected.length, refused]).toEqual([sent.length - lost + duplicated, 0]);
      expect([bench.line.counts.frames, bench.departed, bench.drops.lost.count]).toEqual([sent.length, sent.length, lost]);
      expect([bench.direction.count, pool.skbsOut]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('no more frames than it may have are under way, whatever comes; what it refuses is counted and freed', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 5 }), fc.integer(), frames, (given, queueFrames, seed, sent) => {
      const bench = new Bench({ ...given, queueFrames }, seed);
      let most = 0;
      for (const each of sent) {
        bench.send([each]);
        most = Math.max(most, bench.direction.count);
      }
      expect(most).toBeLessThanOrEqual(queueFrames);
      expect(pool.skbsOut).toBe(bench.direction.count);
      bench.direction.cut();
      expect([bench.direction.count, pool.skbsOut, bench.whenUs]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
      const { frames: taken, refused } = bench.line.counts;
      expect(taken + refused + bench.drops.cut.count).toBeGreaterThanOrEqual(sent.length);
      expect(bench.drops.full.count).toBe(refused);
    }),
    { numRuns: 100 },
  );
});

test('losses in bursts are as long and as frequent as their chances say', () => {
  const line = new FaultLine(7, 0);
  changeLine(line, { ...NO_FAULTS, burstBegin: 0.05, burstEnd: 0.25 });
  const lost = Array.from({ length: 20_000 }, () => isLost(line));
  const bursts = lost.filter((each, i) => each && lost[i - 1] !== true).length;
  const count = lost.filter(Boolean).length;
  // In the long run 0.05 / (0.05 + 0.25) of the frames, four at a time.
  expect(Math.abs(count / 20_000 - 1 / 6)).toBeLessThan(0.02);
  expect(Math.abs(count / bursts - 4)).toBeLessThan(0.4);
});

test('a change holds from the next frame on, and what is under way comes out as it would have', () => {
  const bench = new Bench({ ...NO_FAULTS, delayUs: 1000 }, 1);
  bench.send([{ atUs: 0, lenBytes: 100 }]);
  changeLine(bench.line, { ...NO_FAULTS, delayUs: 10 });
  bench.send([{ atUs: 1, lenBytes: 100 }]);
  changeLine(bench.line, { ...NO_FAULTS, loss: 1 });
  bench.send([{ atUs: 2, lenBytes: 100 }]);
  bench.advance(Number.POSITIVE_INFINITY);
  expect(bench.seen.map(({ atUs }) => atUs)).toEqual([11, 1000]);
  changeLine(bench.line, { ...NO_FAULTS, rateBps: 8_000_000 });
  bench.send(Array.from({ length: 3 }, () => ({ atUs: 5000, lenBytes: 1000 })));
  changeLine(bench.line, NO_FAULTS);
  bench.advance(Number.POSITIVE_INFINITY);
  // The first was on the line already.
  expect(bench.seen.slice(2).map(({ atUs }) => atUs)).toEqual([6000, 6000, 6000]);
});

test('a loop that is late costs the line no time: what should have left by now comes out at once', () => {
  const bench = new Bench({ ...NO_FAULTS, rateBps: 8_000_000 }, 1);
  bench.send(Array.from({ length: 4 }, () => ({ atUs: 0, lenBytes: 1000 })));
  bench.nowUs = 3500;
  bench.advance(3500);
  bench.advance(Number.POSITIVE_INFINITY);
  expect(bench.seen.map(({ atUs }) => atUs)).toEqual([3500, 3500, 3500, 4000]);
});

test('a burst that is yet to be cut keeps its bytes: its checksums would hide the damage', () => {
  const damage = new FrameDamage();
  const skb = pool.alloc(64, 100)!;
  copyIn(skb, frame(1, 100));
  skb.gsoSize = 20;
  expect(damage.flip(skb, 5)).toBe(null);
  skb.gsoSize = 0;
  skb.checksum = CHECKSUM.UNNECESSARY;
  skb.network = skb.data + 14;
  skb.protocol = 0x0800;
  skb.vlan = 0x81000005 | 0;
  skb.priority = 3;
  const damaged = damage.flip(skb, 8 * 99 + 7)!;
  expect(damaged).toMatchObject({ checksum: CHECKSUM.NONE, protocol: 0x0800, vlan: 0x81000005 | 0, priority: 3 });
  expect(damaged.network - damaged.data).toBe(14);
  expect(bytesOf(damaged)).toEqual(flipped(frame(1, 100), 8 * 99 + 7));
  pool.release(damaged);
  expect(pool.skbsOut).toBe(0);
});
