import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom, Xoshiro128 } from './random.ts';

describe('Xoshiro128', () => {
  it('gives what the published C program gives', () => {
    // xoshiro128starstar.c, compiled, with s = {1, 2, 3, 4}.
    const generator = new Xoshiro128(1, 2, 3, 4);
    const first = Array.from({ length: 10 }, () => generator.next() >>> 0);
    expect(first).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
    for (let i = 10; i < 999_999; i++) generator.next();
    expect(generator.next() >>> 0).toBe(3457443141);
  });

  it('takes words with the highest bit set', () => {
    // Words from the test data of github.com/edorfaus/xoshiro-6502, made with the same C program.
    const generator = new Xoshiro128(0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0);
    expect(Array.from({ length: 4 }, () => generator.next() >>> 0)).toEqual([0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70]);
  });
});

const draw = (random: SeededRandom, count = 8) => Array.from({ length: count }, () => random.u32());

describe('SeededRandom', () => {
  it('is a function of the seed', () => {
    expect(draw(new SeededRandom(7))).toEqual(draw(new SeededRandom(7)));
    expect(draw(new SeededRandom(7))).not.toEqual(draw(new SeededRandom(8)));
    expect(draw(new SeededRandom(2 ** 40))).not.toEqual(draw(new SeededRandom(2 ** 41)));
    expect(draw(new SeededRandom(-1))).not.toEqual(draw(new SeededRandom(1)));
  });

  it('gives these numbers for seed 1, in every release: captures are replayed by seed', () => {
    expect(draw(new SeededRandom(1), 3)).toEqual([3758143002, 50255185, 2933595883]);
    expect(draw(new SeededRandom(1).fork('tcp'), 3)).toEqual([1945175745, 334381078, 4227227738]);
  });

  it('forks streams that depend on labels only, not on order or use', () => {
    const one = new SeededRandom(3);
    const other = new SeededRandom(3);
    draw(one);
    const ipFirst = one.fork('ip');
    const tcpSecond = one.fork('tcp');
    draw(ipFirst);
    expect(draw(other.fork('tcp'))).toEqual(draw(tcpSecond));
    expect(draw(other.fork('a').fork('b'))).not.toEqual(draw(other.fork('ab')));
    expect(draw(other.fork('a').fork('b'))).not.toEqual(draw(other.fork('b').fork('a')));
    expect(draw(other.fork(''))).not.toEqual(draw(other));
  });

  it('below stays below, and meets every value about as often', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const value = new SeededRandom(seed).below(bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
    const random = new SeededRandom(11);
    const seen = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) seen[random.below(3)]!++;
    for (const count of seen) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('below has no favourites where 2³² is no multiple', () => {
    // With a mere remainder, the lower half would come twice as often as the upper.
    const random = new SeededRandom(5);
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (random.below(bound) < bound / 3) low++;
    expect(Math.abs(low - 10_000)).toBeLessThan(400);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('below refuses %s', (bound) => {
    expect(() => new SeededRandom(1).below(bound)).toThrow(/EINVAL: random.below takes an integer from 1 to 2\^32, got/);
  });

  it.each([0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => new SeededRandom(seed)).toThrow(/EINVAL: a seed is an integer/);
  });

  it('fraction is from 0 to less than 1, and in the middle on average', () => {
    const random = new SeededRandom(2);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const x = random.fraction();
      expect(x >= 0 && x < 1).toBe(true);
      sum += x;
    }
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.02);
  });

  it('fills bytes of any length, as u32 gives them, the lowest first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 67 }), (length) => {
        const bytes = new Uint8Array(length);
        new SeededRandom(9).fill(bytes);
        const whole = new Uint8Array(Uint32Array.from(draw(new SeededRandom(9), 17)).buffer);
        expect(bytes).toEqual(whole.slice(0, length));
      }),
    );
  });
});
