import { expect, test } from 'vitest';
import { CableRandom, chanceOf } from './cable-random.ts';

test('a seed and a direction give one stream; other ones give another', () => {
  const stream = (seed: number, direction: number): number[] => {
    const random = new CableRandom(seed, direction);
    return Array.from({ length: 20 }, () => random.bits());
  };
  expect(stream(1, 0)).toEqual(stream(1, 0));
  const streams = [
    stream(1, 0),
    stream(1, 1),
    stream(2, 0),
    stream(2, 1),
    stream(0, 0),
    stream(-1, 0),
    stream(2 ** 40, 0),
    stream(1 + 2 ** 40, 0),
  ];
  expect(new Set(streams.map((each) => each.join())).size).toBe(streams.length);
});

test('fractions and bounds are kept, and every bit is fair', () => {
  const random = new CableRandom(7, 0);
  const count = 100_000;
  const third = chanceOf(0.3);
  let hits = 0;
  const bits = new Array<number>(29).fill(0);
  const faces = new Array<number>(6).fill(0);
  for (let i = 0; i < count; i++) {
    if (random.happens(third)) hits++;
    const word = random.bits();
    for (let bit = 0; bit < 29; bit++) bits[bit]! += (word >> bit) & 1;
    faces[random.below(6)]!++;
  }
  expect(Math.abs(hits / count - 0.3)).toBeLessThan(0.01);
  for (const each of bits) expect(Math.abs(each / count - 0.5)).toBeLessThan(0.01);
  for (const face of faces) expect(Math.abs(face / count - 1 / 6)).toBeLessThan(0.01);
  expect([random.happens(chanceOf(0)), random.happens(chanceOf(1)), random.below(0), random.below(1)]).toEqual([false, true, 0, 0]);
});
