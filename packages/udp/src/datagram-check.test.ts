import type { Skb } from '@softnet/contract';
import { CHECKSUM, DropReason, IP_PROTOCOL } from '@softnet/contract';
import { appendFragment, copyIn, makePool, pull, put } from '@softnet/skb';
import { emitUdp, parseAddress, pseudoHeaderSum, setIpv4Dst, setIpv4HeaderBytes, setIpv4Src, sumBytes, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UdpReasons } from './datagram-check.ts';
import { DatagramCheck, UDP_REASONS } from './datagram-check.ts';

const UDP = IP_PROTOCOL.UDP;
const reasons = Object.fromEntries(
  Object.entries(UDP_REASONS).map(([name, text], i) => [name, new DropReason(i + 1, name, text)]),
) as unknown as UdpReasons;
const pool = makePool();
const check = new DatagramCheck(reasons);
const [V4, V6] = [
  [parseAddress('10.0.0.1')!.words, parseAddress('10.0.0.2')!.words],
  [parseAddress('2001:db8::1')!.words, parseAddress('2001:db8::2')!.words],
] as const;

/** IP header and datagram; of the datagram `inHead` bytes in the head, the rest on pages. */
function packet(datagram: Uint8Array, { v6 = false, inHead = datagram.length, spare = 0 } = {}): Skb {
  const skb = pool.alloc(0, 40 + Math.min(inHead, 1500))!;
  const at = put(skb, v6 ? 40 : 20);
  const { bytes, view } = skb.memory;
  bytes.fill(0, at, skb.tail);
  bytes[at] = v6 ? 0x60 : 0x40;
  const [src, dst] = v6 ? V6 : V4;
  if (v6) for (let i = 0; i < 8; i++) view.setInt32(at + 8 + 4 * i, (i < 4 ? src : dst)[i & 3]!);
  else {
    setIpv4HeaderBytes(view, at, 20);
    setIpv4Src(view, at, src[3]);
    setIpv4Dst(view, at, dst[3]);
  }
  skb.network = at;
  skb.transport = skb.tail;
  copyIn(skb, datagram, 0, inHead);
  for (let from = inHead; from < datagram.length; from += 1000) {
    const part = datagram.subarray(from, from + 1000);
    const fragment = pool.page(part.length)!;
    fragment.memory.bytes.set(part, fragment.offset);
    appendFragment(skb, fragment);
  }
  if (spare > 0) put(skb, spare);
  pull(skb, v6 ? 40 : 20);
  return skb;
}

function datagramOf(payload: Uint8Array, v6 = false): Uint8Array {
  const [src, dst] = v6 ? V6 : V4;
  return emitUdp({ srcPort: 4711, dstPort: 7, checksum: 0, payload }, pseudoHeaderSum(...src, ...dst, UDP, payload.length + 8));
}

function faultOf(skb: Skb): string | null {
  const fault = check.fault(skb, UDP);
  pool.release(skb);
  return fault?.name ?? null;
}

describe('a datagram is checked before anybody is asked for whom it is', () => {
  test.each([false, true])('intact, wherever it lies, IPv6: %s', (v6) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(1400), fc.nat(40), (payload, inHead, spare) => {
        const datagram = datagramOf(payload, v6);
        const split = Math.min(inHead, datagram.length);
        expect(faultOf(packet(datagram, { v6, inHead: split, spare: split === datagram.length ? spare : 0 }))).toBeNull();
      }),
    );
  });

  test.each([false, true])('one bit wrong, wherever, IPv6: %s', (v6) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(7), (payload, where, bit) => {
        const datagram = datagramOf(payload, v6);
        datagram[where % datagram.length]! ^= 1 << bit;
        const fault = faultOf(packet(datagram, { v6 }));
        // A checksum that became 0 says that there is none: over IPv4 that is allowed.
        if (!v6 && datagram[6] === 0 && datagram[7] === 0) expect(fault).toBeNull();
        else expect(fault).toMatch(/^udp\.(checksum|length|no-checksum)$/);
      }),
    );
  });

  test('truncated, lengths that lie, no checksum', () => {
    const datagram = datagramOf(new Uint8Array(10));
    expect(faultOf(packet(datagram.subarray(0, 7)))).toBe('udp.truncated');
    expect(faultOf(packet(datagram.subarray(0, 17)))).toBe('udp.length');
    viewOf(datagram).setUint16(4, 7);
    expect(faultOf(packet(datagram))).toBe('udp.length');
    const bare = emitUdp({ srcPort: 1, dstPort: 7, checksum: 0, payload: new Uint8Array(3) });
    expect([faultOf(packet(bare)), faultOf(packet(bare, { v6: true }))]).toEqual([null, 'udp.no-checksum']);
  });

  test('what device or sender vouch for is not summed; a sum of the whole is used, and doubted when it does not fit', () => {
    const wrong = datagramOf(new Uint8Array([1, 2, 3]));
    wrong[8]! ^= 1;
    for (const checksum of [CHECKSUM.UNNECESSARY, CHECKSUM.PARTIAL]) {
      expect(faultOf(Object.assign(packet(wrong), { checksum }))).toBeNull();
    }
    const right = packet(datagramOf(new Uint8Array(900).fill(3)));
    right.checksum = CHECKSUM.COMPLETE;
    right.csum = sumBytes(right.memory.view, right.network, right.tail - right.network);
    // Only the device's sum says that this is right.
    right.memory.bytes[right.tail - 1]! ^= 1;
    expect(check.fault(right, UDP)).toBeNull();
    right.csum ^= 0x55;
    expect(faultOf(right)).toBe('udp.checksum');
    expect(faultOf(Object.assign(packet(datagramOf(new Uint8Array(9))), { checksum: CHECKSUM.COMPLETE, csum: 77 }))).toBeNull();
  });

  test('garbage is refused or not, but never throws and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.nat(80),
        fc.boolean(),
        fc.constantFrom(0, 1, 2, 3),
        (bytes, inHead, v6, checksum) => {
          const skb = packet(bytes, { v6, inHead: Math.min(inHead, bytes.length) });
          const lenBytes = skb.len;
          skb.checksum = checksum;
          check.fault(skb, UDP);
          expect(skb.len).toBe(lenBytes);
          pool.release(skb);
          expect(pool.skbsOut).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
