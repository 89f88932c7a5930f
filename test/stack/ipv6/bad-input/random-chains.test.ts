import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawPeer } from '../raw-peer.ts';
import { bytesOf, echo, rawPacket } from './row.ts';

let peer: RawPeer;
beforeAll(async () => {
  peer = await RawPeer.boot();
  for (const [name, value] of [
    ['ratelimit', 0],
    ['msgs_burst', 1_000_000],
  ] as const) {
    peer.host.kernel.sysctl.set(`net.ipv6.icmp.${name}`, value);
  }
});
// Nothing that was sent may be left in the host's memory.
afterAll(() => peer.end());

interface Counts {
  received: number;
  delivered: number;
  dropped: number;
}

/** What the host counts; drops of what is above IPv6 are of packets that were delivered. */
function counts(): Counts {
  const counter = (name: string): number =>
    peer.host.kernel.counters().find((each) => each.module.startsWith('ipv6#') && each.name === name)!.value;
  const below = peer.host.kernel
    .dropReasons()
    .filter(({ name }) => /^ipv6\.(?!no-protocol|no-ports|address-unreachable)|^nd\.fragment/.test(name));
  return {
    received: counter('in-receives'),
    delivered: counter('in-delivers'),
    dropped: below.reduce((sum, { count }) => sum + count, 0),
  };
}

async function added(send: () => void): Promise<Counts> {
  const before = counts();
  send();
  await peer.net.pass(1);
  const after = counts();
  return {
    received: after.received - before.received,
    delivered: after.delivered - before.delivered,
    dropped: after.dropped - before.dropped,
  };
}

const byte = fc.oneof(fc.constantFrom(0, 0, 0, 1, 2, 4, 5, 0xc2), fc.nat(255));
const header = fc.tuple(
  fc.constantFrom(0, 43, 60, 60, 59, 58, 17, 200),
  fc.constantFrom(0, 0, 0, 1, 2),
  fc.oneof(fc.constant([1, 4, 0, 0, 0, 0]), fc.array(byte, { minLength: 6, maxLength: 6 })),
);
const chains = fc
  .array(header, { maxLength: 10 })
  .map((headers) => bytesOf(...headers.map(([next, units, rest]) => Uint8Array.of(next, units, ...rest, ...new Uint8Array(8 * units)))));

test('random chains, none of them a fragment: each is delivered, or a counted drop, and nothing is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 43, 60, 58, 17), chains, fc.boolean(), async (first, chain, whole) => {
      const packet = rawPacket(first, bytesOf(chain, echo()));
      const { received, delivered, dropped } = await added(() => peer.bytes(whole ? packet : packet.slice(0, packet.length - 3)));
      expect([received, delivered + dropped]).toEqual([1, 1]);
    }),
    { numRuns: 300 },
  );
});

test('random fragments of a few datagrams: each is delivered with others, or a counted drop, once their time is over', async () => {
  const piece = fc.record({
    id: fc.nat(3),
    offset: fc.nat(6),
    units: fc.integer({ min: 0, max: 3 }),
    more: fc.boolean(),
    odd: fc.constantFrom(0, 0, 0, 1),
    next: fc.constantFrom(58, 17, 60, 0, 59),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const before = counts();
      for (const { id, offset, units, more, odd, next } of pieces) {
        const header = Uint8Array.of(next, 0, 0, (offset << 3) | Number(more), 0, 0, 0, id);
        peer.bytes(rawPacket(44, bytesOf(header, new Uint8Array(8 * units + odd))));
      }
      await peer.net.pass(61_000);
      const after = counts();
      const delivered = after.delivered - before.delivered;
      const dropped = after.dropped - before.dropped;
      // A datagram that is put together was as many packets as it had pieces.
      expect(delivered + dropped).toBeLessThanOrEqual(pieces.length);
      expect(pieces.length === 0 || delivered + dropped > 0).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('random bytes: nothing is thrown, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isIpv6) => {
      const packet = isIpv6 && bytes.length > 0 ? bytes.with(0, 0x60) : bytes;
      const { received, delivered, dropped } = await added(() => peer.bytes(packet));
      expect(received).toBe(delivered + dropped);
    }),
    { numRuns: 200 },
  );
});
