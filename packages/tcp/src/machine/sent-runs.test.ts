import type { SockOps } from '@softnet/contract';
import { SockCommon } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Connection } from './connection.ts';
import { SentRuns } from './sent-runs.ts';

interface Octet {
  atUs: number;
  times: number;
  isPushed: boolean;
  run: number;
}

const aStep = fc.record({
  what: fc.constantFrom('send', 'send', 'again', 'ack', 'report', 'ask'),
  from: fc.nat(30),
  lenBytes: fc.integer({ min: 1, max: 12 }),
  isPushed: fc.boolean(),
});

test('what was sent when, how often, together, with PSH: beside an array of octets; also across the wrap', () => {
  const runs = new SentRuns();
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 60 }), fc.constantFrom(0, 0x7ffffff0), (steps, base) => {
      const conn = new Connection(new SockCommon({ name: 'tcp', type: 1 } as SockOps));
      const octets: Octet[] = [];
      let una = 0;
      const at = (i: number): number => (base + i) | 0;
      for (const [now, { what, from, lenBytes, isPushed }] of steps.entries()) {
        const seq = Math.min(una + from, octets.length);
        const end = Math.min(seq + lenBytes, octets.length);
        const some = octets.slice(seq, end);
        if (what === 'send') {
          runs.sent(conn, at(octets.length), at(octets.length + lenBytes), now, isPushed);
          for (let i = 1; i <= lenBytes; i++) octets.push({ atUs: now, times: 1, isPushed: isPushed && i === lenBytes, run: now });
        } else if (what === 'again' && some.length > 0) {
          runs.resent(conn, at(seq), at(end), now);
          for (const octet of some) Object.assign(octet, { atUs: now, times: octet.times + 1 });
        } else if (what === 'ack') {
          const acked = octets.slice(una, end);
          const wanted = acked.length === 0 || acked.some(({ times }) => times > 1) ? -1 : now - acked[0]!.atUs;
          if (end > una) expect(runs.acknowledged(conn, at(end), now)).toBe(wanted);
          una = Math.max(una, end);
        } else if (what === 'report') {
          const first = some.find(({ times }) => times === 1);
          expect(runs.reported(conn, at(seq), at(end), now)).toBe(first === undefined ? -1 : now - first.atUs);
        } else if (some.length > 0) {
          expect(runs.isPushed(conn, at(seq), at(end))).toBe(some.some((octet) => octet.isPushed));
          // A part that went again is one that went together.
          expect((runs.endOf(conn, at(seq), at(end)) - at(seq)) | 0).toBe(some.filter(isLike(some[0]!, some)).length);
        }
        let sum = 0;
        for (let run = conn.sentFirst; run !== null; run = run.next) sum += (run.end - run.seq) | 0;
        expect(sum).toBe(octets.length - una);
      }
      // Octet by octet, at the end.
      for (let i = una; i < octets.length; i++) {
        const { times, atUs } = octets[i]!;
        expect(runs.reported(conn, at(i), at(i + 1), 100)).toBe(times === 1 ? 100 - atUs : -1);
      }
      runs.clear(conn);
      expect([conn.sentFirst, conn.sentLast, conn.sackedRun]).toEqual([null, null, null]);
    }),
  );
});

/** It went together with the first, and so did all before it. */
function isLike(first: Octet, some: readonly Octet[]): (octet: Octet, i: number) => boolean {
  return (_, i) => some.slice(0, i + 1).every(({ run, atUs, times }) => run === first.run && atUs === first.atUs && times === first.times);
}
