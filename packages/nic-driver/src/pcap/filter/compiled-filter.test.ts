import type { Skb } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { copyIn, makePool } from '@softnet/skb';
import { viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameOf, sampleFilters, samplePackets, says, textOf } from '../testing/sample-packets.ts';
import { CompiledFilter } from './compiled-filter.ts';
import { PacketFacts } from './packet-facts.ts';
import type { PacketFilter } from './packet-filter.ts';
import { SkbFilter } from './skb-filter.ts';

const pool = makePool({ buffers: 4, pages: 16 });

/** A frame whose first bytes lie in the head, the rest on pages. */
function packetOf(frame: Uint8Array, inHead: number): Skb {
  const skb = pool.alloc(64, 1000)!;
  copyIn(skb, frame, 0, Math.min(inHead, frame.length));
  const { end } = skb;
  skb.end = skb.tail;
  copyIn(skb, frame.slice(inHead));
  skb.end = end;
  skb.mac = skb.data;
  return skb;
}

test('matches what the packet says as plain values, by tree and by text, wherever the headers lie', () => {
  const facts = new PacketFacts();
  const outcomes = [0, 0];
  fc.assert(
    fc.property(
      sampleFilters(true),
      fc.array(samplePackets(), { minLength: 5, maxLength: 5 }),
      fc.boolean(),
      fc.nat(80),
      (tree, packets, dropped, inHead) => {
        const byTree = new CompiledFilter(tree);
        const byText = new SkbFilter(textOf(tree));
        for (const packet of packets) {
          const frame = frameOf(packet);
          const expected = says(tree, packet, dropped);
          outcomes[Number(expected)]!++;
          facts.lenBytes = frame.length;
          facts.dropped = dropped;
          facts.readFrame(viewOf(frame), 0, frame.length, 0);
          expect([textOf(tree), packet, byTree.matches(facts)]).toEqual([textOf(tree), packet, expected]);
          const skb = packetOf(frame, 14 + inHead);
          expect(byText.matchesFrame(skb, skb.mac, dropped)).toBe(expected);
          pool.release(skb);
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(Math.min(...outcomes)).toBeGreaterThan(300);
});

test('a tag that was taken off counts, and so does its length', () => {
  fc.assert(
    fc.property(samplePackets(), (packet) => {
      const tagged = frameOf({ ...packet, vlans: [5] });
      const skb = packetOf(frameOf({ ...packet, vlans: [] }), 1000);
      skb.vlan = (0x8100 << 16) | 5;
      expect(new SkbFilter('vlan 5').matchesFrame(skb, skb.mac, false)).toBe(true);
      expect(new SkbFilter(`greater ${tagged.length} and less ${tagged.length}`).matchesFrame(skb, skb.mac, false)).toBe(true);
      pool.release(skb);
    }),
    { numRuns: 50 },
  );
});

test('garbage is read within its bounds', () => {
  const facts = new PacketFacts();
  const all = new CompiledFilter('not (udp port 53 or host 10.0.0.1 or ip6 or vlan 5 or ether host 02:00:00:00:00:01)');
  fc.assert(
    fc.property(samplePackets(), fc.nat(80), fc.uint8Array({ maxLength: 8 }), fc.nat(60), (packet, lenBytes, bytes, at) => {
      const frame = frameOf(packet).slice(0, lenBytes);
      frame.set(bytes.subarray(0, Math.max(0, frame.length - at)), Math.min(at, frame.length));
      facts.readFrame(viewOf(frame), 0, frame.length, 0);
      all.matches(facts);
      facts.readPacket(viewOf(frame), 0x86dd, 0, frame.length);
      expect(facts.hasMac).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test.each<[unknown, string]>([
  [{}, 'filter: a test has one of and, or, not'],
  [{ prot: 'udp' }, 'got prot'],
  [{ proto: 'sctp' }, 'proto takes ip, ip6'],
  [{ net: '10.0.0' }, "net takes an address or a prefix like '10.0.0.0/8'"],
  [{ net: 7 }, 'net takes'],
  [{ port: 65_536 }, 'port takes a whole number, 0 to 65535, got 65536'],
  [{ port: 53, side: 'left' }, 'side takes src or dst, got left'],
  [{ ether: 'x' }, 'ether takes'],
  [{ vlan: 4096 }, 'vlan takes'],
  [{ minBytes: -1 }, 'minBytes takes'],
  [{ and: { proto: 'udp' } }, 'take an array'],
  [{ not: null }, 'a test is text or an object'],
  [7, 'a test is text or an object'],
])('says what is wrong with %j', (filter, sentence) => {
  expect(() => new CompiledFilter(filter as PacketFilter)).toThrow(NetError);
  expect(() => new CompiledFilter(filter as PacketFilter)).toThrow(sentence);
});

test('looks at a packet without garbage', () => {
  const filter = new SkbFilter('udp and (port 53 or src net 10.0.0.0/8) and not (vlan 7 or ether host 02:00:00:00:00:09) and greater 20');
  const [packet] = fc.sample(samplePackets(), { numRuns: 1, seed: 1 });
  const frame = frameOf({ ...packet!, network: 'ip', protocol: 'udp', src: '10.0.0.1', dst: '10.0.0.2', vlans: [], later: false });
  for (const skb of [packetOf(frame, 1000), packetOf(frame, 20)]) {
    expect(filter.matchesFrame(skb, skb.mac, false)).toBe(true);
    expect(heapPerCall(1, () => void filter.matchesFrame(skb, skb.mac, false))).toBeLessThan(1);
    pool.release(skb);
  }
});
