import { expect, test } from 'vitest';
import { torture } from './torture.ts';

// 1,000 in CI; as many as one likes: TORTURE_SEEDS=100000 npx vitest run test/stack/tcp/torture
const seeds = Number(process.env.TORTURE_SEEDS ?? 20);
const first = Number(process.env.TORTURE_FIRST ?? 1);
const PATIENCE_MS = 60_000 + seeds * 2000;

test(
  `${seeds} seeds of torture, from ${first} on`,
  async () => {
    for (let seed = first; seed < first + seeds; seed++) {
      const { faults } = await torture(seed);
      expect(faults.join('; '), `TORTURE_FIRST=${seed} TORTURE_SEEDS=1 replays it`).toBe('');
    }
  },
  PATIENCE_MS,
);

test('a seed says all: twice the same is twice the same', async () => {
  expect(await torture(11)).toEqual(await torture(11));
});
