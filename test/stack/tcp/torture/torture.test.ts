import { expect, test } from 'vitest';
import { torture } from './torture.ts';

const seeds = Number(process.env.TORTURE_SEEDS ?? 40);
const first = Number(process.env.TORTURE_FIRST ?? 1);

test(`${seeds} seeds of torture, from ${first} on`, async () => {
  for (let seed = first; seed < first + seeds; seed++) {
    const { faults } = await torture(seed);
    expect(faults.join('; '), `TORTURE_FIRST=${seed} TORTURE_SEEDS=1 replays it`).toBe('');
  }
}, 600_000);
