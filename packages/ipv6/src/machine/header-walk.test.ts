import type { Skb } from '@softnet/contract';
import { IPV6_LIMITS, Ipv6HeaderChain, isExtensionHeader, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findLastHeader, LastHeader, walkHeaders } from './header-walk.ts';

const NETWORK = 3;
const last = new LastHeader();
const chain = new Ipv6HeaderChain();

/** A packet of these headers, `network` set. */
function packetOf(first: number, headers: Uint8Array): Skb {
  const bytes = new Uint8Array(NETWORK + 40 + headers.length);
  bytes[NETWORK + 6] = first;
  bytes.set(headers, NETWORK + 40);
  return { network: NETWORK, tail: bytes.length, memory: { view: viewOf(bytes) } } as Skb;
}

/** From header to header, in plain words: number, where it stands, where it begins. */
function model(first: number, bytes: Uint8Array): readonly [protocol: number, nextHeaderAt: number, at: number, isFragment: boolean] {
  let [protocol, nextHeaderAt, at, isFragment] = [first, 6, 40, false];
  while (isExtensionHeader(protocol)) {
    const rest = bytes.subarray(at - 40);
    const lenBytes = protocol === 44 ? 8 : 8 + 8 * (rest[1] ?? 0);
    if (rest.length < Math.max(8, lenBytes)) return [protocol, nextHeaderAt, -1, isFragment];
    const isLater = protocol === 44 && ((rest[2]! << 8) | rest[3]!) >= 8;
    isFragment ||= protocol === 44;
    [protocol, nextHeaderAt, at] = [rest[0]!, at, at + lenBytes];
    if (isLater) return [protocol, nextHeaderAt, -1, true];
  }
  return [protocol, nextHeaderAt, at, isFragment];
}

const header = fc
  .tuple(fc.constantFrom(0, 43, 44, 60, 60, 58, 17), fc.constantFrom(0, 0, 0, 1), fc.constantFrom(0, 0, 0, 8, 200), fc.nat(255))
  .map(([next, units, byte, other]) => Uint8Array.of(next, units, 0, byte, other, 0, 0, 0, ...new Uint8Array(8 * units)));
const headers = fc.array(header, { maxLength: 12 }).map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
const first = fc.constantFrom(0, 43, 44, 60, 58);

test('the last header, as a plain model finds it, whatever stands in options', () => {
  fc.assert(
    fc.property(first, headers, fc.nat(9), (protocol, bytes, missing) => {
      const cut = bytes.subarray(0, Math.max(0, bytes.length - missing));
      findLastHeader(packetOf(protocol, cut), last);
      const at = last.at < 0 ? -1 : last.at - NETWORK;
      expect([last.protocol, last.nextHeaderOffset - NETWORK, at, last.isFragment]).toEqual(model(protocol, cut));
    }),
    { numRuns: 1000 },
  );
});

test('where nothing is at fault, the strict walk finds the same', () => {
  fc.assert(
    fc.property(first, headers, (protocol, bytes) => {
      const skb = packetOf(protocol, bytes);
      findLastHeader(skb, last);
      if (walkHeaders(skb, IPV6_LIMITS, chain) !== null) return;
      expect([last.protocol, last.nextHeaderOffset, last.at]).toEqual([chain.protocol, chain.nextHeaderOffset, chain.transport]);
    }),
    { numRuns: 1000 },
  );
});
