import type { SockOps } from '@softnet/contract';
import { FlowKey, SockCommon } from '@softnet/contract';
import { HalfSipHash } from '@softnet/inet';
import { describe, expect, test } from 'vitest';
import { FlowHash, tierOfHash } from './flow-hash.ts';
import { TIER } from './flow-match.ts';

const hash = new FlowHash(new HalfSipHash([11, 12]));
const V4 = { protocol: 17, localPort: 7, remotePort: 9, local2: 0xffff, local3: 0x0a000001, remote2: 0xffff, remote3: 0x0a000002 };
const V6 = { ...V4, local0: 0x20010db8, local2: 0, remote0: 0x20010db8, remote2: 0 };
const ENDS = [
  'local0',
  'local1',
  'local2',
  'local3',
  'remote0',
  'remote1',
  'remote2',
  'remote3',
  'localPort',
  'remotePort',
  'protocol',
] as const;

const keyOf = (ends: Partial<FlowKey>): FlowKey => Object.assign(new FlowKey(), ends);

describe('the hash of a flow', () => {
  test.each(ENDS.flatMap((end) => [['IPv4', end, V4] as const, ['IPv6', end, V6] as const]))(
    'of %s depends on %s',
    (_family, end, ends) => {
      const [one, other] = [keyOf(ends), keyOf(ends)];
      other[end] ^= 0x20;
      expect(hash.ofFlow(one, TIER.FLOW)).not.toBe(hash.ofFlow(other, TIER.FLOW));
    },
  );

  test.each([
    ['IPv4', V4],
    ['IPv6', V6],
    ['of both', { ...V4, remote2: 0 }],
  ])('%s is that of its socket, if it had the port', (_family, ends) => {
    const sock = Object.assign(new SockCommon({} as SockOps), ends, { localPort: 0 });
    expect(hash.ofSocket(sock, V4.localPort, TIER.FLOW)).toBe(hash.ofFlow(keyOf(ends), TIER.FLOW));
  });

  test('of an end, and of a port, depends on all of it', () => {
    const end = [17, 7, 1, 2, 3, 4] as const;
    const ofEnd = (each: readonly number[]): number => hash.ofEnd(...(each as typeof end), TIER.END);
    const ends = end.map((_, i) => ofEnd(end.map((word, at) => (at === i ? word ^ 0x20 : word))));
    expect(new Set([ofEnd(end), ...ends]).size).toBe(end.length + 1);
    expect(new Set([hash.ofPort(17, 7, TIER.PORT), hash.ofPort(17, 8, TIER.PORT), hash.ofPort(6, 7, TIER.PORT)]).size).toBe(3);
  });

  test('says in which table it is, and is never 0', () => {
    const tiers = [hash.ofPort(17, 7, TIER.PORT), hash.ofEnd(17, 7, 0, 0, 0, 1, TIER.END), hash.ofFlow(keyOf(V4), TIER.FLOW), 0].map(
      tierOfHash,
    );
    expect(tiers).toEqual([TIER.PORT, TIER.END, TIER.FLOW, -1]);
  });
});
