import type { PacketMemory } from '@softnet/contract';
import { Flow } from '@softnet/contract';
import { viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SentEchoes } from './sent-echoes.ts';

/** Both addresses, then identifier and sequence number. */
type Echo = readonly number[];
const echo = fc.array(fc.integer(), { minLength: 9, maxLength: 9 });

function note(sent: SentEchoes, [src0 = 0, src1 = 0, src2 = 0, src3 = 0, dst0 = 0, dst1 = 0, dst2 = 0, dst3 = 0, rest = 0]: Echo): void {
  sent.note(Object.assign(new Flow(), { src0, src1, src2, src3, dst0, dst1, dst2, dst3 }), rest);
}

function has(sent: SentEchoes, words: Echo): boolean {
  const view = viewOf(new Uint8Array(48));
  for (const [i, word] of words.slice(0, 8).entries()) view.setInt32(8 + 4 * i, word);
  view.setInt32(44, words[8]!);
  return sent.has({ view } as PacketMemory, 0, 40);
}

test('what was sent is known, and nothing that differs in a word', () => {
  fc.assert(
    fc.property(fc.integer(), echo, fc.nat(8), fc.integer({ min: 1, max: 0x7fffffff }), (secret, words, at, change) => {
      const sent = new SentEchoes(secret);
      expect(has(sent, words)).toBe(false);
      note(sent, words);
      expect([has(sent, words), has(sent, words.with(at, words[at]! ^ change))]).toEqual([true, false]);
    }),
  );
});

test('of many, some of the latest are known, and no more than there are places', () => {
  const sent = new SentEchoes(0x2545f491);
  const all = Array.from({ length: 10_000 }, (_, i) => [1, 2, 3, 4, 5, 6, 7, 8, i]);
  for (const each of all) note(sent, each);
  const known = all.filter((each) => has(sent, each)).map(([, , , , , , , , rest]) => rest!);
  expect(known.length).toBeLessThanOrEqual(256);
  expect(known).toContain(9999);
  expect(known.filter((rest) => rest >= 9500).length).toBeGreaterThan(100);
});
