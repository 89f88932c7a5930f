import type { Ipv4Packet } from '@softnet/wire';
import { emitIpv4Packet, parseIcmpv4 } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, EVERYBODY, HOST, ipv4, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const FAR = '10.0.5.9';
const IPV4 = 0x800;
/** Nobody speaks it: who is delivered so far was taken for good. */
const PROTOCOL = 253;
const TAKEN = { 'ipv4.no-protocol': 1 } as const;
const UNREACHABLE_PROTOCOL = { type: 3, code: 2 } as const;

interface Row {
  readonly rfc: string;
  readonly what: string;
  /** Packets, one after the other. */
  readonly packets: readonly Uint8Array[];
  readonly to?: string;
  /** Drops by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** What its sender is told. Null: nothing. `pointer`: of a Parameter Problem. */
  readonly told: { readonly type: number; readonly code: number; readonly pointer?: number } | null;
}

const flags = { dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0 };
const packetOf = (packet: Partial<Ipv4Packet> = {}): Uint8Array => emitIpv4Packet(ipv4({ protocol: PROTOCOL, ...packet }));

/** A good packet whose bytes are then changed; the header checksum is as it was. */
function lying(change: (bytes: Uint8Array) => void, packet: Partial<Ipv4Packet> = {}): Uint8Array {
  const bytes = packetOf(packet);
  change(bytes);
  return bytes;
}

/** The same, with the checksum made to fit. */
function lyingWell(change: (bytes: Uint8Array) => void, packet: Partial<Ipv4Packet> = {}): Uint8Array {
  const bytes = lying(change, packet);
  bytes.fill(0, 10, 12);
  const headerBytes = Math.min(bytes.length, Math.max(20, (bytes[0]! & 15) * 4)) & ~1;
  let sum = 0;
  for (let i = 0; i < headerBytes; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.set([(~sum >> 8) & 0xff, ~sum & 0xff], 10);
  return bytes;
}

const at =
  (offset: number, ...values: readonly number[]) =>
  (bytes: Uint8Array): void =>
    bytes.set(values, offset);

const silent = (rfc: string, what: string, reason: string, ...packets: readonly Uint8Array[]): Row => {
  return { rfc, what, packets, drops: { [reason]: 1 }, told: null };
};
const taken = (rfc: string, what: string, packet: Uint8Array): Row => ({
  rfc,
  what,
  packets: [packet],
  drops: TAKEN,
  told: UNREACHABLE_PROTOCOL,
});

const HEADERS: readonly Row[] = [
  ...[0, 1, 19].map((length) => silent('791 §3.1', `${length} bytes`, 'ipv4.truncated', packetOf().subarray(0, length))),
  ...[0, 3, 5, 6, 15].map((version) => silent('1122 §3.2.1.1', `version ${version}`, 'ipv4.version', lyingWell(at(0, (version << 4) | 5)))),
  ...[0, 1, 4].map((words) => silent('791 §3.1', `${words} words of header`, 'ipv4.header-length', lyingWell(at(0, 0x40 | words)))),
  silent('791 §3.1', 'more header than has come', 'ipv4.truncated', lyingWell(at(0, 0x4f))),
  silent('791 §3.1', 'options that have not come', 'ipv4.truncated', lyingWell(at(0, 0x46)).subarray(0, 20)),
  silent('1122 §3.2.1.2', 'a TTL that is not in the checksum', 'ipv4.checksum', lying(at(8, 63))),
  silent('1122 §3.2.1.2', 'a destination that is not in the checksum', 'ipv4.checksum', lying(at(19, 2))),
  silent('1122 §3.2.1.2', 'no checksum', 'ipv4.checksum', lying(at(10, 0, 0))),
  silent('1122 §3.2.1.2', 'all ones for a checksum', 'ipv4.checksum', lying(at(10, 0xff, 0xff))),
  silent(
    '1122 §3.2.1.2',
    'options that are not in the checksum',
    'ipv4.checksum',
    lying(at(22, 9), { options: [{ kind: 148, data: new Uint8Array(2) }] }),
  ),
  ...[0, 19, 37, 65_535].map((length) =>
    silent('791 §3.1', `a total length of ${length} in 36 bytes`, 'ipv4.total-length', lyingWell(at(2, length >> 8, length & 0xff))),
  ),
  silent(
    '791 §3.1',
    'less in all than its header',
    'ipv4.total-length',
    lyingWell(at(2, 0, 20), { options: [{ kind: 148, data: new Uint8Array(2) }] }),
  ),
  taken('1122 §3.2.1.7', 'TTL 0, for this host', packetOf({ ttl: 0 })),
  taken('1122 §3.2.1.7', 'TTL 1, for this host', packetOf({ ttl: 1 })),
  ...[0, 1].map((ttl) => ({
    ...{ rfc: '1812 §5.3.1', what: `TTL ${ttl}, for another`, packets: [packetOf({ ttl, dst: FAR })] },
    ...{ drops: { 'ipv4.ttl': 1 }, told: { type: 11, code: 0 } },
  })),
  taken('791 §3.1, robustness', 'the flag that is reserved', lyingWell(at(6, 0x80))),
  taken('791 §3.1', 'bytes behind its end', Uint8Array.of(...packetOf(), 1, 2, 3)),
];

const SOURCES = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '127.255.255.254',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.254',
  '255.255.255.255',
];
const OURS = [HOST, '10.0.5.1', '10.0.0.255', '10.0.5.255'];
const ADDRESSES: readonly Row[] = [
  ...[...SOURCES, ...OURS].map((src) => silent('1122 §3.2.1.3, 1812 §5.3.7', `from ${src}`, 'ipv4.martian-source', packetOf({ src }))),
  ...[...SOURCES, ...OURS].map((src) =>
    silent('1812 §5.3.7', `from ${src} for another`, 'ipv4.martian-source', packetOf({ src, dst: FAR })),
  ),
  ...['0.1.2.3', '127.0.0.1', '255.255.255.255'].map((src) => {
    return silent('1122 §3.2.1.3', `from ${src} to a group`, 'ipv4.martian-source', packetOf({ src, dst: '224.0.0.1' }));
  }),
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.255', '240.0.0.1', '255.255.255.254'].map((dst) =>
    silent('1812 §5.3.7', `to ${dst}`, 'ipv4.martian-destination', packetOf({ dst })),
  ),
  silent('1112 §7.2', 'to a group that nobody has joined', 'ipv4.no-group', packetOf({ dst: '239.1.2.3' })),
  { ...silent('1122 §3.3.6', 'to one, in a frame to all', 'ipv4.unicast-by-broadcast', packetOf()), to: EVERYBODY },
  { ...silent('1122 §3.3.6', 'to one, in a frame to a group', 'ipv4.unicast-by-broadcast', packetOf()), to: '01:00:5e:01:02:03' },
  { ...silent('1812 §5.3.4', 'to another, in a frame to all', 'ipv4.unicast-by-broadcast', packetOf({ dst: FAR })), to: EVERYBODY },
  { ...silent('1122 §3.2.1.3', 'in a frame for another', 'netdev.otherhost', packetOf()), to: PEER_MAC },
  {
    ...{ rfc: '1812 §5.2.7.1', what: 'to where there is no way', packets: [packetOf({ dst: '192.0.2.1' })] },
    ...{ drops: { 'ipv4.no-route': 1 }, told: { type: 3, code: 0 } },
  },
  ...['255.255.255.255', '10.0.0.255'].map((dst) => ({
    ...{ rfc: '1122 §3.2.2', what: `to all by ${dst}: nobody is told`, packets: [packetOf({ dst })], to: EVERYBODY },
    ...{ drops: TAKEN, told: null },
  })),
  ...['0.0.0.0', '10.0.0.0'].map((dst) => ({
    ...{ rfc: '1122 §3.3.6', what: `to all by ${dst}, as they did once`, packets: [packetOf({ dst })], to: EVERYBODY },
    ...{ drops: TAKEN, told: null },
  })),
];

let id = 100;
const piece = (offset: number, length: number, more: boolean, packet: Partial<Ipv4Packet> = {}): Uint8Array =>
  packetOf({ id, ...flags, fragmentOffsetBytes: offset, moreFragments: more, payload: new Uint8Array(length), ...packet });
function fragments(rfc: string, what: string, drops: Row['drops'], pieces: () => readonly Uint8Array[], told: Row['told'] = null): Row {
  id++;
  return { rfc, what, packets: pieces(), drops, told };
}
const alert = { options: [{ kind: 148, data: new Uint8Array(2) }] };

const FRAGMENTS: readonly Row[] = [
  fragments(
    '791 §3.2',
    'first, with DF',
    TAKEN,
    () => [piece(0, 8, true, { dontFragment: true }), piece(8, 8, false, { dontFragment: true })],
    UNREACHABLE_PROTOCOL,
  ),
  ...[1, 7, 9, 15].map((length) =>
    fragments('791 §3.2', `not the last, of ${length} bytes`, { 'ipv4.fragment-malformed': 1 }, () => [piece(0, length, true)]),
  ),
  fragments('791 §3.2', 'the first is empty', { 'ipv4.fragment-malformed': 1 }, () => [piece(0, 0, true)]),
  fragments('791 §3.2', 'one within is empty', { 'ipv4.fragment-malformed': 1 }, () => [piece(16, 0, true)]),
  fragments('791 §3.2', 'the last is empty', { 'ipv4.fragment-malformed': 1 }, () => [piece(16, 0, false)]),
  fragments('791 §3.2', 'ping of death: 65,520 and 400', { 'ipv4.fragment-too-big': 1 }, () => [piece(65_520, 400, false)]),
  fragments('791 §3.2', 'the last possible one, and a byte', { 'ipv4.fragment-too-big': 1 }, () => [piece(65_512, 4, false)]),
  fragments('791 §3.2', 'the greatest offset, a whole unit', { 'ipv4.fragment-too-big': 1 }, () => [piece(65_528, 8, false)]),
  fragments('791 §3.2', 'jolt2: 9 bytes at 65,520 for ever', { 'ipv4.fragment-too-big': 3 }, () =>
    [1, 2, 3].map(() => piece(65_520, 9, false)),
  ),
  fragments('1858', 'teardrop: the second within the first', { 'ipv4.fragment-overlap': 2 }, () => [
    piece(0, 40, true),
    piece(24, 4, false),
  ]),
  fragments('1858', 'bonk: the second over the end', { 'ipv4.fragment-overlap': 2 }, () => [piece(0, 32, true), piece(24, 24, false)]),
  fragments('1858', 'nestea: one within two', { 'ipv4.fragment-overlap': 3 }, () => [
    piece(0, 16, true),
    piece(32, 16, true),
    piece(8, 32, true),
  ]),
  fragments('1858 §4', 'the first is written over later', { 'ipv4.fragment-overlap': 2 }, () => [piece(8, 16, true), piece(0, 16, true)]),
  fragments('5722', 'two ends, the second shorter', { 'ipv4.fragment-overlap': 2 }, () => [piece(32, 16, false), piece(16, 8, false)]),
  fragments('5722', 'two ends, the second longer', { 'ipv4.fragment-overlap': 2 }, () => [piece(32, 16, false), piece(48, 8, false)]),
  fragments('5722', 'more behind the end', { 'ipv4.fragment-overlap': 2 }, () => [piece(32, 16, false), piece(48, 8, true)]),
  fragments('5722', 'the end before what is there', { 'ipv4.fragment-overlap': 2 }, () => [piece(48, 8, true), piece(32, 8, false)]),
  fragments(
    '5722',
    'the same one twice',
    { 'ipv4.fragment-duplicate': 1, ...TAKEN },
    () => [piece(0, 8, true), piece(0, 8, true), piece(8, 8, false)],
    UNREACHABLE_PROTOCOL,
  ),
  fragments('3168 §5.3', 'marked, and of one who knows no marks', { 'ipv4.fragment-ecn': 2 }, () => [
    piece(0, 8, true, { tos: 0 }),
    piece(8, 8, false, { tos: 3 }),
  ]),
  fragments('791 §3.2', 'with its header more than 65,535', { 'ipv4.fragment-too-big': 1 }, () => [
    ...Array.from({ length: 45 }, (_, i) => piece(i * 1456, Math.min(1456, 65_512 - i * 1456), true, alert)),
    piece(65_512, 3, false, alert),
  ]),
];

/** Options as bytes, written behind an honest header. */
function withOptions(bytes: readonly number[], packet: Partial<Ipv4Packet> = {}): Uint8Array {
  const padded = [...bytes, ...new Array((4 - (bytes.length % 4)) % 4).fill(0)];
  const honest = { options: padded.map(() => ({ kind: 1, data: new Uint8Array(0) })), ...packet };
  return lyingWell(at(20, ...padded), honest);
}

const wrongOption = (rfc: string, what: string, bytes: readonly number[], pointer: number): Row => ({
  ...{ rfc, what, packets: [withOptions(bytes)], drops: { 'ipv4.option': 1 } },
  told: { type: 12, code: 0, pointer },
});

const KINDS = [7, 68, 130, 131, 134, 136, 137, 148, 94, 222];
const ADDRESS = [10, 0, 0, 7];
const OPTIONS: readonly Row[] = [
  ...KINDS.flatMap((kind) => [
    wrongOption('791 §3.1', `option ${kind}: length 0`, [kind, 0, 4, 0], 20),
    wrongOption('791 §3.1', `option ${kind}: length 1`, [1, kind, 1, 4], 21),
    wrongOption('791 §3.1', `option ${kind}: over the header`, [kind, 5, 4, 0], 20),
    wrongOption('791 §3.1', `option ${kind}: no length`, [1, 1, 1, kind], 23),
  ]),
  ...[7, 131, 137].flatMap((kind) => [
    wrongOption('791 §3.1', `route ${kind}: no pointer`, [kind, 2, 1, 1], 21),
    wrongOption('791 §3.1', `route ${kind}: pointer 0`, [kind, 7, 0, ...ADDRESS, 0], 22),
    wrongOption('791 §3.1', `route ${kind}: pointer 3`, [kind, 7, 3, ...ADDRESS, 0], 22),
    wrongOption('791 §3.1', `route ${kind}: room for a part`, [kind, 7, 6, ...ADDRESS, 0], 22),
    wrongOption('791 §3.1', `route ${kind}: room for less than one`, [kind, 6, 4, 0, 0, 0, 0, 0], 22),
    wrongOption('791 §3.1', `route ${kind}: twice`, [kind, 7, 8, ...ADDRESS, kind, 7, 8, ...ADDRESS], 27),
  ]),
  wrongOption('791 §3.1', 'a loose and a strict route', [131, 7, 8, ...ADDRESS, 137, 7, 8, ...ADDRESS], 27),
  wrongOption('791 §3.1', 'timestamp: no flags', [68, 3, 5, 1], 21),
  wrongOption('791 §3.1', 'timestamp: pointer 4', [68, 8, 4, 0, 0, 0, 0, 0], 22),
  wrongOption('791 §3.1', 'timestamp: room for a part', [68, 8, 6, 0, 0, 0, 0, 0], 22),
  wrongOption('791 §3.1', 'timestamp with address: room for one of both', [68, 8, 5, 1, 0, 0, 0, 0], 22),
  wrongOption('791 §3.1', 'timestamp of an address: room for one of both', [68, 8, 5, 3, ...ADDRESS], 22),
  ...[2, 4, 15].map((form) => wrongOption('791 §3.1', `timestamp: form ${form}`, [68, 12, 5, form, ...ADDRESS, ...ADDRESS], 23)),
  wrongOption('791 §3.1', 'timestamp: a sixteenth finds no room', [68, 8, 9, 0xf0, 0, 0, 0, 0], 23),
  wrongOption('791 §3.1', 'timestamp: twice', [68, 8, 9, 0, 0, 0, 0, 0, 68, 8, 9, 0, 0, 0, 0, 0], 28),
  wrongOption('2113 §2.1', 'router alert: no value', [148, 2, 1, 1], 21),
  wrongOption('2113 §2.1', 'router alert: half a value', [148, 3, 0, 1], 21),
  ...[131, 137].map((kind) =>
    silent('7126 §4.3, §4.4', `source route ${kind}, not allowed`, 'ipv4.source-route', withOptions([kind, 7, 4, ...ADDRESS])),
  ),
  ...[131, 137].map((kind) =>
    silent('7126 §4.3', `source route ${kind}, for another`, 'ipv4.source-route', withOptions([kind, 7, 4, ...ADDRESS], { dst: FAR })),
  ),
  { ...wrongOption('1122 §3.2.2', 'to all: nobody is told', [7, 0, 0, 0], 0), to: EVERYBODY, told: null },
  silent('1122 §3.2.2', 'a later fragment: nobody is told', 'ipv4.option', withOptions([148, 0, 0, 0], { fragmentOffsetBytes: 8 })),
  silent('1122 §3.2.2', 'from nobody: nobody is told', 'ipv4.option', withOptions([148, 0, 0, 0], { src: '0.0.0.0' })),
  taken('791 §3.1', 'what stands behind the end of the list', withOptions([0, 7, 0, 255])),
  taken('791 §3.1', 'nothing but padding', withOptions([1, 1, 1, 1])),
  taken('1122 §3.2.1.8', 'what nobody knows', withOptions([94, 4, 1, 2, 222, 6, 1, 2, 3, 4])),
  taken('791 §3.1', 'a route that is full', withOptions([7, 7, 8, ...ADDRESS])),
  taken('2113 §2.1', 'router alert, with a value of no meaning', withOptions([148, 4, 0, 1])),
];

const ROWS = [...HEADERS, ...ADDRESSES, ...FRAGMENTS, ...OPTIONS];
let link: RawLink;
let far: RawPeer;
beforeAll(async () => {
  link = await RawLink.open();
  far = await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  const { sysctl } = link.host.kernel;
  sysctl.set('net.ipv4.ip_forward', true);
  sysctl.set('net.ipv4.icmp_ratelimit', 0);
  sysctl.set('net.ipv4.icmp_msgs_per_sec', 1_000_000);
  sysctl.set('net.ipv4.icmp_msgs_burst', 1000);
  await link.peer.introduce(link.net);
  far.arp({ sender: word(FAR), target: word('10.0.5.1') }, far.mac);
  await link.net.pass(1);
});
afterAll(async () => {
  await link.net.pass(40_000);
  expect(link.skbsOut).toBe(0);
  await link.close();
});

test('there are enough of them', () => {
  expect(ROWS.length).toBeGreaterThan(150);
  expect(new Set(ROWS.map(({ rfc, what }) => `${rfc} ${what}`)).size).toBe(ROWS.length);
});

test.each(ROWS)('RFC $rfc: $what', async ({ packets, to, drops, told }) => {
  link.peer.frames.length = 0;
  far.frames.length = 0;
  const dropped = await link.dropsOf(() => {
    for (const packet of packets) link.peer.frame(packet, IPV4, to);
  });
  expect(dropped).toEqual(drops);
  const messages = link.peer.takeIp().map(({ payload, protocol, dst }) => {
    const message = parseIcmpv4(payload, 0, payload.length);
    if (typeof message === 'string') throw new Error(message);
    expect([protocol, dst]).toEqual([1, PEER]);
    const { type, code, rest } = message;
    return type === 12 ? { type, code, pointer: rest >>> 24 } : { type, code };
  });
  expect(messages).toEqual(told === null ? [] : [told]);
  expect(far.takeIp()).toEqual([]);
});
