import { MulticastGroups } from '@softnet/contract';
import type { IgmpMessage } from '@softnet/ipv4';
import { emitIgmp, IGMP_TYPE } from '@softnet/ipv4';
import type { Ipv4Packet } from '@softnet/wire';
import { checksumOf, formatMac, ipv4Words, routerAlertOption, sumBytes } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PEER, RawLink, word } from './raw-link.ts';

const GROUP = '239.1.1.1';
const ALL = '224.0.0.1';
const ipv4 = (text: string) => ipv4Words(word(text));
const query = {
  type: IGMP_TYPE.QUERY,
  version: 3,
  maxResponseDs: 100,
  suppress: false,
  robustness: 2,
  intervalS: 125,
  sources: [],
} as const;
const general: IgmpMessage = { ...query, group: ipv4('0.0.0.0') };
const specific: IgmpMessage = { ...query, group: ipv4(GROUP) };
const report: IgmpMessage = { type: IGMP_TYPE.REPORT_V2, group: ipv4(GROUP) };

interface Case {
  readonly message?: IgmpMessage;
  /** Bytes in its place; their checksum is mended. */
  readonly raw?: readonly number[];
  readonly change?: (bytes: Uint8Array) => Uint8Array;
  readonly packet?: Partial<Ipv4Packet>;
}

let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  const groups = link.host.kernel.contributions(MulticastGroups).items[0]!;
  groups.join(link.host.device('eth0'), ipv4(GROUP), { name: 'test' });
  await link.net.pass(2000);
  link.peer.frames.length = 0;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

function mended(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4) return bytes;
  view.setUint16(2, 0);
  view.setUint16(2, checksumOf(sumBytes(view, 0, bytes.length)));
  return bytes;
}

const cut = (to: number) => (bytes: Uint8Array) => mended(bytes.slice(0, to));
const put =
  (at: number, ...values: number[]) =>
  (bytes: Uint8Array) => {
    bytes.set(values, at);
    return mended(bytes);
  };

function send({ message, raw, change, packet = {} }: Case): void {
  const whole = raw === undefined ? emitIgmp(message!) : mended(Uint8Array.from(raw));
  const payload = change === undefined ? whole : change(whole);
  const sent = { protocol: 2, ttl: 1, dst: ALL, options: [routerAlertOption()], payload, ...packet };
  const group = word(sent.dst);
  const to =
    group >>> 28 === 0xe ? formatMac(Uint8Array.of(1, 0, 0x5e, (group >>> 16) & 127, (group >>> 8) & 255, group & 255)) : link.peer.mac;
  link.peer.ip(sent, to);
}

const v2: IgmpMessage = { ...query, version: 2, group: ipv4('0.0.0.0'), robustness: 0, intervalS: 0 };

test.each<[section: string, what: string, reason: string, bad: Case]>([
  ['RFC 3376 §4', 'no byte', 'igmp.truncated', { raw: [] }],
  ['RFC 3376 §4', 'one byte', 'igmp.truncated', { raw: [0x11] }],
  ['RFC 3376 §4', 'seven bytes', 'igmp.truncated', { message: general, change: cut(7) }],
  [
    'RFC 3376 §4.1.2',
    'a query with a wrong checksum',
    'igmp.checksum',
    { message: general, change: (bytes) => bytes.with(2, bytes[2]! ^ 1) },
  ],
  [
    'RFC 3376 §4.1.2',
    'a bit turned in a source',
    'igmp.checksum',
    { message: { ...specific, sources: [ipv4('10.0.0.1')] }, change: (bytes) => bytes.with(14, 9), packet: { dst: GROUP } },
  ],
  [
    'RFC 3376 §4.1.2',
    'a report with a wrong checksum',
    'igmp.checksum',
    { message: report, change: (bytes) => bytes.with(3, bytes[3]! ^ 0x80), packet: { dst: GROUP } },
  ],
  ['RFC 3376 §7.1', 'a query of 9 bytes', 'igmp.query-length', { message: general, change: cut(9) }],
  ['RFC 3376 §7.1', 'a query of 11 bytes', 'igmp.query-length', { message: general, change: cut(11) }],
  [
    'RFC 3376 §4.1.8',
    'one source, and none there',
    'igmp.query-sources',
    { message: specific, change: put(10, 0, 1), packet: { dst: GROUP } },
  ],
  [
    'RFC 3376 §4.1.8',
    '65,535 sources, and one there',
    'igmp.query-sources',
    { message: { ...specific, sources: [ipv4('10.0.0.1')] }, change: put(10, 255, 255), packet: { dst: GROUP } },
  ],
  [
    'RFC 3376 §4.1.8',
    'half a source',
    'igmp.query-sources',
    { message: { ...specific, sources: [ipv4('10.0.0.1')] }, change: cut(14), packet: { dst: GROUP } },
  ],
  ['RFC 3376 §4', 'a general query with TTL 2', 'igmp.ttl', { message: general, packet: { ttl: 2 } }],
  ['RFC 3376 §4', 'a query with TTL 255', 'igmp.ttl', { message: specific, packet: { ttl: 255, dst: GROUP } }],
  ['RFC 2236 §2', 'a report with TTL 64', 'igmp.ttl', { message: report, packet: { ttl: 64, dst: GROUP } }],
  ['RFC 3376 §9.1', 'a version 3 query without router alert', 'igmp.router-alert', { message: general, packet: { options: [] } }],
  ['RFC 3376 §9.1', 'a version 2 query without router alert', 'igmp.router-alert', { message: v2, packet: { options: [] } }],
  [
    'RFC 3376 §9.1',
    'a version 2 query with other options',
    'igmp.router-alert',
    { message: v2, packet: { options: [{ kind: 136, data: new Uint8Array(2) }] } },
  ],
  [
    'RFC 2236 §3',
    'a query of a group without router alert',
    'igmp.router-alert',
    { message: { ...v2, group: ipv4(GROUP) }, packet: { dst: GROUP, options: [] } },
  ],
  ['RFC 3376 §4.1.3', 'a query of a host', 'igmp.group', { message: { ...query, group: ipv4('10.0.0.1') } }],
  ['RFC 3376 §4.1.3', 'a query of 255.255.255.255', 'igmp.group', { message: { ...query, group: ipv4('255.255.255.255') } }],
  ['RFC 3376 §5', 'a query of 224.0.0.1', 'igmp.group', { message: { ...query, group: ipv4(ALL) } }],
  ['RFC 2236 §6', 'a version 2 query of 224.0.0.1', 'igmp.group', { message: { ...v2, group: ipv4(ALL) } }],
  [
    'RFC 3376 §4.1.10',
    'a general query with sources',
    'igmp.group',
    { message: { ...query, group: ipv4('0.0.0.0'), sources: [ipv4('10.0.0.7')] } },
  ],
  [
    'RFC 3376 §4.1.9',
    'a query of source 0.0.0.0',
    'igmp.query-source',
    { message: { ...specific, sources: [ipv4('0.0.0.0')] }, packet: { dst: GROUP } },
  ],
  [
    'RFC 3376 §4.1.9',
    'a query of a group as a source',
    'igmp.query-source',
    { message: { ...specific, sources: [ipv4('10.0.0.7'), ipv4(GROUP)] }, packet: { dst: GROUP } },
  ],
  [
    'RFC 3376 §4.1.9',
    'a query of everybody as a source',
    'igmp.query-source',
    { message: { ...specific, sources: [ipv4('255.255.255.255')] }, packet: { dst: GROUP } },
  ],
  [
    'RFC 2236 §3',
    'a report to another group',
    'igmp.report-destination',
    { message: { ...report, group: ipv4('239.1.1.2') }, packet: { dst: GROUP } },
  ],
  ['RFC 2236 §3', 'a report to all hosts', 'igmp.report-destination', { message: report }],
  [
    'RFC 1112, Appendix I',
    'a version 1 report to all hosts',
    'igmp.report-destination',
    { message: { type: IGMP_TYPE.REPORT_V1, group: ipv4(GROUP) } },
  ],
  ['RFC 2236 §2.4', 'a report of a host as a group', 'igmp.group', { message: { ...report, group: ipv4('10.0.0.1') } }],
  ['RFC 2236 §6', 'a report of 224.0.0.1', 'igmp.group', { message: { ...report, group: ipv4(ALL) } }],
  ['RFC 3376 §9.2', 'a report from another subnet', 'igmp.report-source', { message: report, packet: { src: '10.9.0.1', dst: GROUP } }],
  ['RFC 3376 §4', 'a leave', 'igmp.for-routers', { message: { type: IGMP_TYPE.LEAVE, group: ipv4(GROUP) } }],
  [
    'RFC 3376 §4',
    'a version 3 report',
    'igmp.for-routers',
    { message: { type: IGMP_TYPE.REPORT_V3, records: [{ type: 4, group: ipv4(GROUP), sources: [] }] } },
  ],
  ['RFC 3376 §4.2', 'a version 3 report whose record is not there', 'igmp.truncated', { raw: [0x22, 0, 0, 0, 0, 0, 0, 1] }],
  [
    'RFC 3376 §4.2.6',
    'a record whose auxiliary data reach over the end',
    'igmp.truncated',
    { raw: [0x22, 0, 0, 0, 0, 0, 0, 1, 4, 9, 0, 0, 239, 1, 1, 1] },
  ],
  [
    'RFC 3376 §4.2.8',
    'a record whose sources reach over the end',
    'igmp.truncated',
    { raw: [0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 9, 239, 1, 1, 1] },
  ],
  ['RFC 3376 §4', 'type 0', 'igmp.type', { raw: [0, 0, 0, 0, 0, 0, 0, 0] }],
  ['RFC 3376 §4', 'DVMRP', 'igmp.type', { raw: [0x13, 0, 0, 0, 0, 0, 0, 0] }],
  ['RFC 3376 §4', 'type 255', 'igmp.type', { raw: [255, 0, 0, 0, 0, 0, 0, 0] }],
  [
    'RFC 1112 §7.2',
    'a report to a group that nobody is in',
    'ipv4.no-group',
    { message: { ...report, group: ipv4('239.7.7.7') }, packet: { dst: '239.7.7.7' } },
  ],
  ['RFC 1812 §5.3.7', 'a query from a group', 'ipv4.martian-source', { message: general, packet: { src: GROUP } }],
  ['RFC 1122 §3.2.1.3', 'a query from an address of this host', 'ipv4.martian-source', { message: general, packet: { src: '10.0.0.1' } }],
])('%s: %s: %s', async (_section, _what, reason, bad) => {
  expect(await link.dropsOf(() => send(bad), 20_000)).toEqual({ [reason]: 1 });
  expect(link.peer.takeIp()).toEqual([]);
});

test.each<[string, Case]>([
  ['general, version 3', { message: general }],
  ['general, from 0.0.0.0', { message: general, packet: { src: '0.0.0.0' } }],
  ['general, to this host alone', { message: general, packet: { dst: '10.0.0.1' } }],
  // RFC 3376 §4.1.12: to whatever address of ours it is.
  ['general, to a group', { message: general, packet: { dst: GROUP } }],
  ['version 2, general, to a group', { message: v2, packet: { dst: GROUP } }],
  ['of the group, to all', { message: specific }],
  ['general, with more behind it', { message: general, change: (bytes) => mended(Uint8Array.of(...bytes, 1, 2, 3)) }],
  ['of the group', { message: specific, packet: { dst: GROUP } }],
  ['of the group and a source', { message: { ...specific, sources: [ipv4(PEER)] }, packet: { dst: GROUP } }],
  ['version 2', { message: v2 }],
  ['version 1, without router alert, whatever its group says', { raw: [0x11, 0, 0, 0, 10, 0, 0, 1], packet: { options: [] } }],
])('a good query is answered: %s', async (_, good) => {
  expect(await link.dropsOf(() => send(good), 20_000)).toEqual({});
  const answers = link.peer.takeIp();
  expect(answers).toMatchObject([{ protocol: 2, ttl: 1, tos: 0xc0, src: '10.0.0.1', options: [routerAlertOption()] }]);
});

test('a query is heard from a source that nobody in the group wants', async () => {
  const groups = link.host.kernel.contributions(MulticastGroups).items[0]!;
  const other = groups.join(link.host.device('eth0'), ipv4('239.1.1.9'), { name: 'test' });
  groups.setFilter(other, 1, [ipv4('10.0.0.77')]);
  await link.net.pass(3000);
  link.peer.frames.length = 0;
  const asked: IgmpMessage = { ...query, group: ipv4('239.1.1.9') };
  expect(await link.dropsOf(() => send({ message: asked, packet: { dst: '239.1.1.9' } }), 20_000)).toEqual({});
  expect(link.peer.takeIp()).toHaveLength(1);
});
