import type { Skb } from '@softnet/contract';
import { ETHERTYPE, IP_PROTOCOL } from '@softnet/contract';
import { appendFragment, copyIn, makePool } from '@softnet/skb';
import {
  emitEthernet,
  emitIpv4Packet,
  emitIpv6Packet,
  emitUdp,
  isIpv4Fragment,
  parseAddress,
  parseEthernet,
  parseIpv4Packet,
  parseIpv6Packet,
  viewOf,
} from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameHeaders, hasPorts } from './frame-headers.ts';

const pool = makePool();
const headers = new FrameHeaders();

/** A frame of which so many bytes lie in the head, the rest on pages. */
function skbOf(frame: Uint8Array, inHead = frame.length): Skb {
  const skb = pool.alloc(64, 1900)!;
  copyIn(skb, frame.slice(0, inHead));
  for (let at = inHead; at < frame.length; at += 40) {
    const part = frame.slice(at, at + 40);
    const page = pool.page(part.length)!;
    page.memory.bytes.set(part, page.offset);
    appendFragment(skb, page);
  }
  return skb;
}

const address4 = fc.ipV4();
const address6 = fc.constantFrom('fd00::1', '2001:db8::5:6', 'fe80::1', 'ff02::1');
const tag = fc.record({
  tpid: fc.constantFrom(ETHERTYPE.VLAN, ETHERTYPE.QINQ),
  priority: fc.nat(7),
  dropEligible: fc.boolean(),
  id: fc.nat(4095),
});
const ends = { srcPort: fc.nat(0xffff), dstPort: fc.nat(0xffff), lenBytes: fc.nat(200), tags: fc.array(tag, { maxLength: 2 }) };
const protocol = fc.constantFrom(IP_PROTOCOL.UDP, IP_PROTOCOL.TCP, IP_PROTOCOL.ICMP, IP_PROTOCOL.SCTP);
const datagram = fc.oneof(
  fc.record({ ...ends, protocol, src: address4, dst: address4, more: fc.boolean(), offset: fc.constantFrom(0, 8) }),
  fc.record({ ...ends, protocol, src: address6, dst: address6, more: fc.constant(false), offset: fc.constant(0) }),
);

function frameOf({
  src,
  dst,
  srcPort,
  dstPort,
  lenBytes,
  tags,
  protocol,
  more,
  offset,
}: typeof datagram extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
  const payload = emitUdp({ srcPort, dstPort, checksum: 0, payload: new Uint8Array(lenBytes) });
  const rest = { tos: 0, id: 1, dontFragment: false, ttl: 9, options: [], src, dst, protocol, payload };
  const ipv6 = src.includes(':');
  const packet = ipv6
    ? emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 9, headers: [], src, dst, protocol, payload })
    : emitIpv4Packet({ ...rest, moreFragments: more, fragmentOffsetBytes: offset });
  const type = ipv6 ? ETHERTYPE.IPV6 : ETHERTYPE.IPV4;
  return emitEthernet({ dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02', tags, type, payload: packet });
}

test('reads what was written, wherever it lies', () => {
  fc.assert(
    fc.property(datagram, fc.nat(100), (given, inHead) => {
      const skb = skbOf(frameOf(given), inHead);
      expect(headers.read(skb)).toBe(true);
      const { src, dst, srcPort, dstPort, protocol, more, offset } = given;
      const [local, remote] = [parseAddress(dst)!.words, parseAddress(src)!.words];
      const { key } = headers;
      expect([key.local0, key.local1, key.local2, key.local3]).toEqual([...local]);
      expect([key.remote0, key.remote1, key.remote2, key.remote3]).toEqual([...remote]);
      const whole = !more && offset === 0;
      const ports = whole && hasPorts(protocol);
      expect(headers).toMatchObject({ whole, ports, ipv6: src.includes(':') });
      expect([key.protocol, key.remotePort, key.localPort]).toEqual([protocol, ports ? srcPort : 0, ports ? dstPort : 0]);
      pool.release(skb);
    }),
  );
  expect(pool.skbsOut).toBe(0);
});

test('never throws at garbage, and believes nothing that the parsers of the layers call cut off or lying', () => {
  let believed = 0;
  const damage = fc.array(fc.record({ at: fc.nat(80), value: fc.nat(255) }), { maxLength: 3 });
  fc.assert(
    fc.property(datagram, damage, fc.nat(300), fc.nat(60), (given, changes, cutTo, inHead) => {
      const frame = frameOf(given).slice(0, cutTo < 60 ? cutTo : undefined);
      for (const { at, value } of changes) if (at < frame.length) frame[at] = value;
      const skb = skbOf(frame, Math.min(inHead, frame.length));
      if (headers.read(skb)) {
        believed++;
        const ethernet = parseEthernet(frame, 0, frame.length);
        if (typeof ethernet === 'string') throw new Error(ethernet);
        const { payload } = ethernet;
        const parsed = headers.ipv6 ? parseIpv6Packet(payload, 0, payload.length) : parseIpv4Packet(payload, 0, payload.length);
        // A card looks neither at header checksums nor at options.
        if (typeof parsed === 'string')
          expect(['ipv4.checksum', 'ipv4.option']).toContain(parsed.replace(/^ipv6\.(option|extension|hop).*/, 'ipv4.option'));
        if (!headers.ipv6 && headers.whole) expect(isIpv4Fragment(viewOf(payload), 0)).toBe(false);
        expect(headers.end).toBeLessThanOrEqual(frame.length);
        expect(headers.transport).toBeLessThanOrEqual(headers.end);
      }
      pool.release(skb);
    }),
    { numRuns: 1000 },
  );
  expect(believed).toBeGreaterThan(100);
  expect(pool.skbsOut).toBe(0);
});
