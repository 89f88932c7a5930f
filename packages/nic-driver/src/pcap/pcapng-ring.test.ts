import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PcapngRing } from './pcapng-ring.ts';
import { parsePcapng } from './testing/parse-pcapng.ts';

const comment = new TextEncoder().encode('dropped: test');

function put(ring: PcapngRing, number: number, lenBytes: number, said: Uint8Array | null): boolean {
  const at = ring.beginPacket(0, number, lenBytes, lenBytes, said?.length ?? 0);
  if (at < 0) return false;
  for (let i = 0; i < lenBytes; i++) ring.view.setUint8(at + i, number + i);
  ring.endPacket(number & 31, said);
  return true;
}

/** Bytes of a packet's block, in full, by the draft. */
const blockBytes = (lenBytes: number, said: boolean): number => 44 + ((lenBytes + 3) & ~3) + (said ? 4 + 16 : 0);

test('has the last packets, whole and in order, as many as fit', () => {
  const packet = fc.record({ lenBytes: fc.nat(700), said: fc.boolean(), dump: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 200 }), fc.constantFrom(1, 3, 1000), (packets, maxPackets) => {
      const ring = new PcapngRing(2000, maxPackets, 'softnet');
      ring.describeInterface(1, 'eth0', 1000);
      const all: { number: number; lenBytes: number; said: boolean }[] = [];
      for (const [number, { lenBytes, said, dump }] of packets.entries()) {
        expect(put(ring, number, lenBytes, said ? comment : null)).toBe(true);
        all.push({ number, lenBytes, said });
        if (dump !== 0 && number < packets.length - 1) continue;
        const read = parsePcapng(ring.dump()).packets;
        expect(read.length).toBe(ring.packets);
        expect(read.length).toBeLessThanOrEqual(maxPackets);
        const expected = all.slice(-read.length);
        expect(read.map(({ timeUs, lenBytes, comment }) => [timeUs, lenBytes, comment !== undefined])).toEqual(
          expected.map(({ number, lenBytes, said }) => [number, lenBytes, said]),
        );
        for (const { timeUs, bytes } of read) expect(bytes).toEqual(Uint8Array.from(bytes, (_, i) => timeUs + i));
        // No more is let go than for the newest, the end that is left over, and what pads at most.
        const kept = expected.reduce((sum, each) => sum + blockBytes(each.lenBytes, each.said), 0);
        const next = all.at(-read.length - 1);
        if (next !== undefined && read.length < maxPackets) expect(kept).toBeGreaterThan(2000 - 3 * blockBytes(706, true));
        expect(kept).toBeLessThanOrEqual(2000);
      }
    }),
    { numRuns: 300 },
  );
});

test('what is longer than the ring is refused, and nothing else goes out for it', () => {
  const ring = new PcapngRing(1000, 9, 'softnet');
  ring.describeInterface(1, 'eth0', 1000);
  put(ring, 1, 100, null);
  expect(put(ring, 2, 2000, null)).toBe(false);
  expect(ring.packets).toBe(1);
});

test('allocates nothing once made', () => {
  const ring = new PcapngRing(100_000, 1000, 'softnet');
  ring.describeInterface(1, 'eth0', 1000);
  expect(heapPerCall(1, (call) => void put(ring, call, 60, null))).toBeLessThan(1);
});
