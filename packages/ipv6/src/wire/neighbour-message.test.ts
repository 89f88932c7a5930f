import { emitIcmpv6, emitIpv6Packet, ICMPV6_TYPE, parseIpv6, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNdType, NA_FLAG, NdMessage, readNdMessage } from './neighbour-message.ts';
import type { NeighbourMessage } from './neighbour-value.ts';
import { emitNeighbour, parseNeighbour } from './neighbour-value.ts';

const { ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT } = ICMPV6_TYPE;

interface Case {
  readonly type: number;
  readonly src?: string;
  readonly dst?: string;
  readonly hopLimit?: number;
  readonly code?: number;
  readonly rest?: number;
  /** Addresses in the fixed part. */
  readonly fixed?: readonly string[];
  readonly fixedBytes?: number;
  readonly options?: readonly number[];
}

const SOURCE_LINK = Object.freeze([1, 1, 2, 0, 0, 0, 0, 7]);
const TARGET_LINK = Object.freeze([2, 1, 2, 0, 0, 0, 0, 8]);

function fault({
  type,
  src = 'fe80::1',
  dst = 'fe80::2',
  hopLimit = 255,
  code = 0,
  rest = 0,
  fixed = [],
  fixedBytes = 0,
  options = [],
}: Case) {
  const payload = [...fixed.flatMap(bytesOf), ...new Array<number>(fixedBytes).fill(0), ...options];
  const message = emitIcmpv6({ type, code, rest, payload: Uint8Array.from(payload) }, 0);
  const bytes = emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit, src, dst, headers: [], protocol: 58, payload: message });
  return readNdMessage(viewOf(bytes), 0, 40, bytes.length, 6, new NdMessage());
}

function bytesOf(text: string): number[] {
  return parseIpv6(text)!.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
}

const solicit = { type: NEIGHBOR_SOLICITATION, fixed: ['fe80::2'] } as const;
const advertise = { type: NEIGHBOR_ADVERTISEMENT, fixed: ['fe80::2'] } as const;
const redirect = { type: REDIRECT, fixed: ['fe80::9', '2001:db8::1'] } as const;

describe('RFC 4861: what makes a message valid', () => {
  test.each<[string, Case, string | null]>([
    ['§7.1.1: a solicitation', solicit, null],
    ['with its link address', { ...solicit, options: SOURCE_LINK }, null],
    ['hop limit 254', { ...solicit, hopLimit: 254 }, 'nd.hop-limit'],
    ['code 1', { ...solicit, code: 1 }, 'nd.code'],
    ['23 bytes', { type: NEIGHBOR_SOLICITATION, fixedBytes: 15 }, 'nd.truncated'],
    ['a target that is a group', { ...solicit, fixed: ['ff02::1'] }, 'nd.target'],
    ['an option of length 0', { ...solicit, options: [1, 0, 0, 0, 0, 0, 0, 0] }, 'nd.option'],
    ['an option that is cut off', { ...solicit, options: [1, 2, 0, 0, 0, 0, 0, 0] }, 'nd.option'],
    ['half an option', { ...solicit, options: [1] }, 'nd.option'],
    ['an option that is not known (§4.6: ignored)', { ...solicit, options: [200, 1, 0, 0, 0, 0, 0, 0] }, null],
    ['a link address of another length', { ...solicit, options: [1, 2, ...new Array<number>(14).fill(0)] }, 'nd.link-address'],
    ['from :: to the solicited-node group', { ...solicit, src: '::', dst: 'ff02::1:ff00:2' }, null],
    ['from :: to another group', { ...solicit, src: '::', dst: 'ff02::1' }, 'nd.unspecified'],
    ['from :: to the host', { ...solicit, src: '::' }, 'nd.unspecified'],
    ['from :: with a link address', { ...solicit, src: '::', dst: 'ff02::1:ff00:2', options: SOURCE_LINK }, 'nd.unspecified'],
    ['§7.1.2: an advertisement', advertise, null],
    ['solicited, to the host', { ...advertise, rest: NA_FLAG.SOLICITED, options: TARGET_LINK }, null],
    ['solicited, to a group', { ...advertise, rest: NA_FLAG.SOLICITED, dst: 'ff02::1' }, 'nd.solicited'],
    ['unsolicited, to a group', { ...advertise, rest: NA_FLAG.OVERRIDE, dst: 'ff02::1' }, null],
    ['hop limit 64', { ...advertise, hopLimit: 64 }, 'nd.hop-limit'],
    ['a target that is a group', { ...advertise, fixed: ['ff02::1'] }, 'nd.target'],
    ['20 bytes', { type: NEIGHBOR_ADVERTISEMENT, fixedBytes: 12 }, 'nd.truncated'],
    ['§6.1.1: a router solicitation', { type: ROUTER_SOLICITATION, options: SOURCE_LINK }, null],
    ['from ::', { type: ROUTER_SOLICITATION, src: '::' }, null],
    ['from :: with a link address', { type: ROUTER_SOLICITATION, src: '::', options: SOURCE_LINK }, 'nd.unspecified'],
    ['hop limit 1', { type: ROUTER_SOLICITATION, hopLimit: 1 }, 'nd.hop-limit'],
    ['§6.1.2: a router advertisement', { type: ROUTER_ADVERTISEMENT, fixedBytes: 8 }, null],
    ['from a global address', { type: ROUTER_ADVERTISEMENT, src: '2001:db8::1', fixedBytes: 8 }, 'nd.source'],
    ['15 bytes', { type: ROUTER_ADVERTISEMENT, fixedBytes: 7 }, 'nd.truncated'],
    ['an option of length 0', { type: ROUTER_ADVERTISEMENT, fixedBytes: 8, options: [5, 0, 0, 0, 0, 0, 0, 0] }, 'nd.option'],
    ['§8.1: a redirect to a router', redirect, null],
    ['to the destination itself', { ...redirect, fixed: ['2001:db8::1', '2001:db8::1'] }, null],
    ['to neither', { ...redirect, fixed: ['2001:db8::2', '2001:db8::1'] }, 'nd.target'],
    ['of a group', { ...redirect, fixed: ['fe80::9', 'ff0e::1'] }, 'nd.target'],
    ['from a global address', { ...redirect, src: '2001:db8::9' }, 'nd.source'],
    ['39 bytes', { type: REDIRECT, fixed: ['fe80::9'], fixedBytes: 15 }, 'nd.truncated'],
  ])('%s', (_name, message, wanted) => {
    expect(fault(message)).toBe(wanted);
  });
});

const words = fc.tuple(fc.nat(0xfffffff), fc.nat(0xfffffff), fc.nat(0xfffffff), fc.nat(0xfffffff));

test('a message is the same, emitted and parsed', () => {
  const flags = fc.constantFrom(
    0,
    NA_FLAG.ROUTER,
    NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE,
    NA_FLAG.ROUTER | NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE,
  );
  const linkAddress = fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 }));
  fc.assert(
    fc.property(fc.constantFrom(NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT), words, flags, linkAddress, (type, target, bits, link) => {
      const message: NeighbourMessage = { type, target, flags: bits, linkAddress: link };
      expect(parseNeighbour(emitNeighbour(message), 6)).toEqual(message);
    }),
  );
});

test('whatever comes, nothing outside is read, and link addresses lie inside', () => {
  const message = new NdMessage();
  fc.assert(
    fc.property(fc.integer({ min: 133, max: 137 }), fc.uint8Array({ maxLength: 120 }), (type, tail) => {
      const bytes = Uint8Array.from([...new Array<number>(7).fill(0), 255, ...new Array<number>(32).fill(0xfe), type, 0, ...tail]);
      bytes.set([0xfe, 0x80], 8);
      const result = readNdMessage(viewOf(bytes), 0, 40, bytes.length, 6, message);
      if (result !== null) return;
      for (const at of [message.sourceLinkAddress, message.targetLinkAddress]) expect(at === -1 || at + 6 <= bytes.length).toBe(true);
    }),
  );
});

test('five types are of Neighbor Discovery', () => {
  expect(Array.from({ length: 256 }, (_, type) => type).filter(isNdType)).toEqual([133, 134, 135, 136, 137]);
});
