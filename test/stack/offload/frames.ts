import { CHECKSUM } from '@softnet/contract';
import type { ExtensionHeader } from '@softnet/wire';
import {
  emitEthernet,
  emitIpv4Packet,
  emitIpv6Packet,
  emitUdp,
  finishIpv4,
  parseAddress,
  pseudoHeaderSum,
  setIpv4FragmentField,
  viewOf,
} from '@softnet/wire';
import fc from 'fast-check';
import type { Arrival } from './burst-host.ts';
import { FAR, NEAR, OUR_MAC, PEER_MAC } from './burst-host.ts';

const UDP = 17;
const ETHER_BYTES = 14;

/** What may be odd about a frame. */
const QUIRKS = Object.freeze([
  'none',
  'bad-udp-sum',
  'no-udp-sum',
  'bad-ip-sum',
  'other-zero',
  'padding',
  'options',
  'first-fragment',
  'last-fragment',
  'reserved-bit',
  'udp-length',
  'cut-off',
  'priority-tag',
  'other-vlan',
  'other-source',
  'other-host',
  'empty',
] as const);
type Quirk = (typeof QUIRKS)[number];

/** A datagram in a frame, in a test's words. */
export interface Shot {
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly lenBytes: number;
  /** DSCP << 2 | ECN. */
  readonly tos: number;
  readonly ttl: number;
  readonly dontFragment: boolean;
  readonly id: number;
  readonly flowLabel: number;
  readonly quirk: Quirk;
  readonly pagesFrom: number;
  /** What its payload is made of. */
  readonly salt: number;
  /** One of CHECKSUM: what the device says of its sum. An honest one, which vouches for none that is wrong. */
  readonly checksum: number;
}

export function shot(values: Partial<Shot> = {}): Shot {
  const ends = { src: NEAR[0], dst: FAR[0], srcPort: 4000, dstPort: 9 };
  const rest = {
    lenBytes: 100,
    tos: 0,
    ttl: 64,
    dontFragment: false,
    id: 0,
    flowLabel: 0,
    quirk: 'none',
    pagesFrom: 9999,
    salt: 0,
    checksum: CHECKSUM.NONE,
  } as const;
  return { ...ends, ...rest, ...values };
}

/** The frame of a shot, as it comes. */
export function arrivalOf(shot: Shot): Arrival {
  const isV4 = !shot.src.includes(':');
  const { quirk } = shot;
  const packet = isV4 ? ipv4Of(shot) : ipv6Of(shot);
  const tags = quirk === 'priority-tag' ? [tag(0)] : quirk === 'other-vlan' ? [tag(7)] : [];
  const src = quirk === 'other-source' ? '02:00:00:00:00:33' : PEER_MAC;
  const dst = quirk === 'other-host' ? '02:00:00:00:00:44' : OUR_MAC;
  let bytes = emitEthernet({ dst, src, tags, type: isV4 ? 0x0800 : 0x86dd, payload: packet });
  if (quirk === 'padding') bytes = Uint8Array.from([...bytes, ...new Uint8Array(6)]);
  if (quirk === 'cut-off') bytes = bytes.subarray(0, bytes.length - 1);
  const isWrong = quirk === 'bad-udp-sum' || quirk === 'udp-length' || quirk === 'bad-ip-sum';
  const checksum = isWrong && shot.checksum === CHECKSUM.UNNECESSARY ? CHECKSUM.NONE : shot.checksum;
  return { bytes, pagesFrom: shot.pagesFrom, checksum };
}

function tag(id: number) {
  return { tpid: 0x8100, priority: 3, dropEligible: false, id };
}

export function payloadOf({ lenBytes, salt, quirk }: Shot): Uint8Array {
  const length = quirk === 'empty' ? 0 : lenBytes;
  return Uint8Array.from({ length }, (_, i) => (salt * 31 + i * 7) & 0xff);
}

function udpOf(shot: Shot): Uint8Array {
  const [src, dst] = [parseAddress(shot.src)!.words, parseAddress(shot.dst)!.words];
  const payload = payloadOf(shot);
  const value = { srcPort: shot.srcPort, dstPort: shot.dstPort, checksum: 0, payload };
  if (shot.quirk === 'no-udp-sum') return emitUdp(value);
  const bytes = emitUdp(value, pseudoHeaderSum(...src, ...dst, UDP, payload.length + 8));
  if (shot.quirk === 'bad-udp-sum') bytes[bytes.length - 1]! ^= 0x10;
  if (shot.quirk === 'udp-length') bytes[5]! ^= 2;
  return bytes;
}

function ipv4Of(shot: Shot): Uint8Array {
  const { quirk } = shot;
  const options = quirk === 'options' ? [{ kind: 148, data: new Uint8Array(2) }] : [];
  const place = { moreFragments: quirk === 'first-fragment', fragmentOffsetBytes: quirk === 'last-fragment' ? 64 : 0 };
  const head = { tos: shot.tos, id: shot.id, dontFragment: shot.dontFragment, ttl: shot.ttl, protocol: UDP, src: shot.src, dst: shot.dst };
  const bytes = emitIpv4Packet({ ...head, ...place, options, payload: udpOf(shot) });
  const view = viewOf(bytes);
  if (quirk === 'reserved-bit') {
    setIpv4FragmentField(view, 0, view.getUint16(6) | 0x8000);
    finishIpv4(view, 0);
  }
  if (quirk === 'bad-ip-sum') bytes[10]! ^= 1;
  if (quirk === 'other-zero') otherZero(view);
  return bytes;
}

/** Its identification is such that the checksum is zero, and it stands there as the other zero. */
function otherZero(view: DataView): void {
  view.setUint16(4, 0);
  finishIpv4(view, 0);
  view.setUint16(4, view.getUint16(10));
  view.setUint16(10, 0xffff);
}

function ipv6Of(shot: Shot): Uint8Array {
  const { quirk } = shot;
  const headers: ExtensionHeader[] = [];
  if (quirk === 'options') headers.push({ type: 60, options: [] });
  if (quirk === 'first-fragment') headers.push({ type: 44, offsetBytes: 0, more: true, id: 9 });
  if (quirk === 'last-fragment') headers.push({ type: 44, offsetBytes: 64, more: false, id: 9 });
  const head = { trafficClass: shot.tos, flowLabel: shot.flowLabel, hopLimit: shot.ttl, src: shot.src, dst: shot.dst };
  return emitIpv6Packet({ ...head, headers, protocol: UDP, payload: udpOf(shot) });
}

/** Whose it is: frames of one flow must come out in their order. Of what has no ports, or not at hand: of all flows between both hosts. */
export function flowOf(frame: Uint8Array): { readonly pair: string; readonly ports: string | null } {
  const at = ETHER_BYTES;
  const isV4 = frame[at]! >>> 4 === 4;
  const header = isV4 ? 20 : 40;
  const pair = frame.subarray(isV4 ? at + 12 : at + 8, at + header).join();
  const isPlain = isV4
    ? frame[at] === 0x45 && ((frame[at + 6]! & 0xbf) | frame[at + 7]!) === 0 && frame[at + 9] === UDP
    : frame[at + 6] === UDP;
  return { pair, ports: isPlain ? frame.subarray(at + header, at + header + 4).join() : null };
}

/** Bursts of frames: runs of one flow that would merge, cut up by others and by oddities. */
export function bursts(maxBytes: number): fc.Arbitrary<Shot[]> {
  const often = <T>(usual: T, ...others: readonly T[]) =>
    fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));
  const run = fc.record({
    ends: fc.constantFrom(...FLOWS),
    lenBytes: fc.constantFrom(1, 60, 61, 200, maxBytes),
    step: often(1, 0, 2),
    count: fc.integer({ min: 1, max: 12 }),
    tos: often(0, 1, 3, 0xb8),
    ttl: often(64, 2, 1),
    dontFragment: fc.boolean(),
    flowLabel: often(0, 0x12345),
    pagesFrom: often(9999, 20, 34, 42, 62, 80),
    checksum: often(CHECKSUM.NONE, CHECKSUM.UNNECESSARY, CHECKSUM.COMPLETE),
    id: fc.constantFrom(0, 7, 0xfffe),
    last: often(0, 5, 59),
    odd: fc.array(fc.record({ at: fc.nat(11), quirk: fc.constantFrom(...QUIRKS), ce: fc.boolean(), ttl: fc.boolean() }), { maxLength: 2 }),
  });
  return fc.tuple(fc.array(run, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([runs, mixed]) => {
    const lines = runs.map((each, line) => shotsOf(each, line));
    if (!mixed) return lines.flat();
    const longest = Math.max(...lines.map(({ length }) => length));
    return Array.from({ length: longest }, (_, i) => lines.flatMap((line) => line.slice(i, i + 1))).flat();
  });
}

interface Run {
  readonly ends: Pick<Shot, 'src' | 'dst' | 'srcPort' | 'dstPort'>;
  readonly lenBytes: number;
  readonly step: number;
  readonly count: number;
  readonly tos: number;
  readonly ttl: number;
  readonly dontFragment: boolean;
  readonly flowLabel: number;
  readonly pagesFrom: number;
  readonly checksum: number;
  readonly id: number;
  readonly last: number;
  readonly odd: readonly { readonly at: number; readonly quirk: Quirk; readonly ce: boolean; readonly ttl: boolean }[];
}

function shotsOf({ ends, lenBytes, step, count, last, odd, ...rest }: Run, line: number): Shot[] {
  return Array.from({ length: count }, (_, i) => {
    const oddity = odd.find(({ at }) => at === i);
    const isShort = i === count - 1 && last > 0;
    return shot({
      ...rest,
      ...ends,
      lenBytes: isShort ? Math.min(last, lenBytes) : lenBytes,
      id: (rest.id + i * step) & 0xffff,
      quirk: oddity?.quirk ?? 'none',
      tos: oddity?.ce === true ? rest.tos | 3 : rest.tos,
      ttl: oddity?.ttl === true ? rest.ttl + 1 : rest.ttl,
      salt: line * 100 + i,
    });
  });
}

/** Forwarded and for sockets here, of both families; some between the same hosts. Port 7: a socket that takes datagrams one by one; 8: as they come; 9: none. */
const FLOWS = [
  { src: NEAR[0], dst: FAR[0], srcPort: 4000, dstPort: 9 },
  { src: NEAR[0], dst: FAR[0], srcPort: 4001, dstPort: 9 },
  { src: NEAR[0], dst: FAR[1], srcPort: 4000, dstPort: 9 },
  { src: NEAR[1], dst: FAR[2], srcPort: 4000, dstPort: 9 },
  { src: NEAR[1], dst: FAR[3], srcPort: 4000, dstPort: 9 },
  { src: NEAR[0], dst: '10.0.1.1', srcPort: 4000, dstPort: 7 },
  { src: NEAR[1], dst: 'fd00:1::1', srcPort: 4000, dstPort: 7 },
  { src: NEAR[0], dst: '10.0.1.1', srcPort: 4000, dstPort: 8 },
  { src: NEAR[1], dst: 'fd00:1::1', srcPort: 4000, dstPort: 8 },
  { src: NEAR[0], dst: '10.0.1.1', srcPort: 4000, dstPort: 99 },
];
