import { expect } from 'vitest';
import type { MemberReader } from './member-reader.ts';
import { withoutGarbage } from './without-garbage.ts';

/** Expects that each packet of `lenBytes` comes to all members, without a byte of garbage; then closes them. */
export function takenWithoutGarbage(receive: () => void, members: readonly MemberReader[], lenBytes: number): void {
  let got = 0;
  const calls = withoutGarbage(() => {
    receive();
    for (const each of members) if (each.take() === lenBytes) got++;
  });
  expect(got).toBe(calls * members.length);
  for (const each of members) each.close();
}
