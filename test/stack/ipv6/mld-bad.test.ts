import { MulticastGroups } from '@softnet/contract';
import type { MldMessage } from '@softnet/ipv6';
import type { Ipv6Packet } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ALERT, MldLink, query, words } from './mld-link.ts';
import { HOST, HOST_LINK } from './raw-peer.ts';

const GROUP = 'ff05::1:3';
const SOURCE = words('fd00::77');

interface Case {
  readonly message: MldMessage;
  readonly packet?: Partial<Ipv6Packet>;
  readonly change?: (bytes: Uint8Array) => Uint8Array;
}

let link: MldLink;
beforeEach(async () => {
  link = await MldLink.open();
  const { kernel } = link.peer.host;
  kernel
    .contributions(MulticastGroups)
    .items.find(({ family }) => family === 10)!
    .join(link.peer.host.device('eth0'), words(GROUP), { name: 'test' });
  await link.said(5000);
  link.peer.drops();
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.peer.end();
});

const cut = (to: number) => (bytes: Uint8Array) => bytes.slice(0, to);
const longer = (by: number) => (bytes: Uint8Array) => Uint8Array.from([...bytes, ...new Uint8Array(by)]);
const put =
  (at: number, ...values: number[]) =>
  (bytes: Uint8Array) => {
    bytes.set(values, at);
    return bytes;
  };

const general = query('::');
const specific = query(GROUP);
const sourced = query(GROUP, { sources: [SOURCE] });
const v1 = query('::', { version: 1, robustness: 0, intervalS: 0 });
const v1specific = { ...v1, group: words(GROUP) };
const report: MldMessage = { type: 131, group: words(GROUP) };
const done: MldMessage = { type: 132, group: words(GROUP) };
const records: MldMessage = { type: 143, records: [{ type: 4, group: words(GROUP), sources: [] }] };
const option = (type: number, ...data: number[]) => [{ type: 0, options: [{ type, data: Uint8Array.from(data) }] }] as const;
const toUs = (text: string) => ({ dst: text });

test.each<[section: string, what: string, reason: string, bad: Case]>([
  // What RFC 3810 §6.2 checks first, of queries of each sort.
  ['RFC 3810 §5.1.14', 'a general query from ::', 'mld.source', { message: general, packet: { src: '::' } }],
  ['RFC 3810 §5.1.14', 'a general query from a global address', 'mld.source', { message: general, packet: { src: 'fd00::9' } }],
  ['RFC 3810 §5.1.14', 'a query of a group from ::', 'mld.source', { message: specific, packet: { src: '::' } }],
  ['RFC 3810 §5.1.14', 'a query of a group from a global address', 'mld.source', { message: specific, packet: { src: '2001:db8::9' } }],
  ['RFC 3810 §5.1.14', 'a query from a site-local address', 'mld.source', { message: sourced, packet: { src: 'fec0::9' } }],
  ['RFC 2710 §3', 'a version 1 query from ::', 'mld.source', { message: v1, packet: { src: '::' } }],
  ['RFC 2710 §3', 'a version 1 query of a group from a global address', 'mld.source', { message: v1specific, packet: { src: 'fd00::9' } }],
  ['RFC 4291 §2.7', 'a query from a group', 'ipv6.source', { message: general, packet: { src: 'ff02::1' } }],
  ['RFC 3810 §6.2', 'a general query with hop limit 2', 'mld.hop-limit', { message: general, packet: { hopLimit: 2 } }],
  ['RFC 3810 §6.2', 'a general query with hop limit 255', 'mld.hop-limit', { message: general, packet: { hopLimit: 255 } }],
  ['RFC 3810 §6.2', 'a query of a group with hop limit 64', 'mld.hop-limit', { message: specific, packet: { hopLimit: 64 } }],
  ['RFC 3810 §6.2', 'a query of sources with hop limit 0', 'mld.hop-limit', { message: sourced, packet: { hopLimit: 0 } }],
  ['RFC 2710 §3', 'a version 1 query with hop limit 255', 'mld.hop-limit', { message: v1, packet: { hopLimit: 255 } }],
  ['RFC 3810 §6.2', 'a general query without headers', 'mld.router-alert', { message: general, packet: { headers: [] } }],
  ['RFC 3810 §6.2', 'a query of a group without headers', 'mld.router-alert', { message: specific, packet: { headers: [] } }],
  ['RFC 3810 §6.2', 'a query of sources without headers', 'mld.router-alert', { message: sourced, packet: { headers: [] } }],
  ['RFC 2710 §3', 'a version 1 query without headers', 'mld.router-alert', { message: v1, packet: { headers: [] } }],
  ['RFC 2711 §2.1', 'a router alert for RSVP', 'mld.router-alert', { message: general, packet: { headers: option(5, 0, 1) } }],
  ['RFC 2711 §2.1', 'a router alert for active networks', 'mld.router-alert', { message: specific, packet: { headers: option(5, 0, 2) } }],
  [
    'RFC 3810 §5',
    'hop-by-hop options, but no router alert',
    'mld.router-alert',
    { message: general, packet: { headers: option(0x1e, 0, 0) } },
  ],
  [
    'RFC 3810 §5',
    'the router alert among destination options',
    'mld.router-alert',
    { message: general, packet: { headers: [{ ...ALERT[0], type: 60 }] } },
  ],
  // Lengths.
  ['RFC 4443 §2.1', 'a query of 4 bytes', 'icmpv6.truncated', { message: general, change: cut(4) }],
  ['RFC 4443 §2.1', 'a query of 7 bytes', 'icmpv6.truncated', { message: general, change: cut(7) }],
  ['RFC 3810 §8.1', 'a query of 8 bytes', 'mld.query-length', { message: general, change: cut(8) }],
  ['RFC 3810 §8.1', 'a query of 20 bytes', 'mld.query-length', { message: v1, change: cut(20) }],
  ['RFC 3810 §8.1', 'a query of 23 bytes', 'mld.query-length', { message: v1, change: cut(23) }],
  ['RFC 3810 §8.1', 'a query of 25 bytes', 'mld.query-length', { message: v1, change: longer(1) }],
  ['RFC 3810 §8.1', 'a query of 26 bytes', 'mld.query-length', { message: v1, change: longer(2) }],
  ['RFC 3810 §8.1', 'a query of 27 bytes', 'mld.query-length', { message: general, change: cut(27) }],
  ['RFC 3810 §5.1.10', 'one source, and none there', 'mld.query-sources', { message: specific, change: put(26, 0, 1) }],
  ['RFC 3810 §5.1.10', '65,535 sources, and one there', 'mld.query-sources', { message: sourced, change: put(26, 255, 255) }],
  ['RFC 3810 §5.1.10', 'half a source', 'mld.query-sources', { message: sourced, change: cut(36) }],
  ['RFC 3810 §5.1.10', 'a byte of the last source is missing', 'mld.query-sources', { message: sourced, change: cut(43) }],
  [
    'RFC 4443 §2.3',
    'a general query with a wrong checksum',
    'icmpv6.checksum',
    { message: general, packet: { payload: new Uint8Array(28).with(0, 130) } },
  ],
  [
    'RFC 4443 §2.3',
    'a report with a wrong checksum',
    'icmpv6.checksum',
    { message: report, packet: { payload: new Uint8Array(24).with(0, 131) } },
  ],
  [
    'RFC 4443 §2.3',
    'a version 2 report with a wrong checksum',
    'icmpv6.checksum',
    { message: records, packet: { dst: 'ff02::1', payload: new Uint8Array(28).with(0, 143) } },
  ],
  // What it asks for.
  ['RFC 3810 §5.1.5', 'a query of a host', 'mld.group', { message: query('fd00::5'), packet: toUs('ff02::1') }],
  ['RFC 3810 §5.1.5', 'a query of ::1', 'mld.group', { message: query('::1'), packet: toUs('ff02::1') }],
  ['RFC 3810 §6', 'a query of ff02::1', 'mld.group', { message: query('ff02::1') }],
  ['RFC 2710 §5', 'a version 1 query of ff02::1', 'mld.group', { message: { ...v1, group: words('ff02::1') } }],
  ['RFC 3810 §6', 'a query of a group of an interface', 'mld.group', { message: query('ff01::5'), packet: toUs('ff02::1') }],
  ['RFC 2710 §5', 'a query of a group of scope 0', 'mld.group', { message: query('ff00::5'), packet: toUs('ff02::1') }],
  ['RFC 3810 §5.1.10', 'a general query with a source', 'mld.general-sources', { message: query('::', { sources: [SOURCE] }) }],
  // Reports and dones.
  ['RFC 2710 §3.7', 'a report of 23 bytes', 'mld.truncated', { message: report, change: cut(23) }],
  ['RFC 2710 §3.7', 'a report of 8 bytes', 'mld.truncated', { message: report, change: cut(8) }],
  ['RFC 2710 §3.7', 'a done of 20 bytes', 'mld.truncated', { message: done, change: cut(20), packet: toUs('ff02::1') }],
  ['RFC 3590 §4', 'a report from ::, which routers do not hear', 'mld.source', { message: report, packet: { src: '::' } }],
  ['RFC 2710 §4', 'a report from a global address', 'mld.source', { message: report, packet: { src: 'fd00::9' } }],
  ['RFC 2710 §3', 'a report with hop limit 2', 'mld.hop-limit', { message: report, packet: { hopLimit: 2 } }],
  ['RFC 2710 §3', 'a report without router alert', 'mld.router-alert', { message: report, packet: { headers: [] } }],
  ['RFC 2710 §3', 'a report to all nodes', 'mld.report-destination', { message: report, packet: toUs('ff02::1') }],
  ['RFC 2710 §3', 'a report to us alone', 'mld.report-destination', { message: report, packet: toUs(HOST_LINK) }],
  ['RFC 2710 §3.6', 'a report of a host', 'mld.group', { message: { type: 131, group: words('fd00::5') }, packet: toUs('ff02::1') }],
  ['RFC 2710 §5', 'a report of ff02::1', 'mld.group', { message: { type: 131, group: words('ff02::1') } }],
  ['RFC 2710 §4', 'our own report, come round', 'mld.own', { message: report, packet: { src: HOST_LINK } }],
  ['RFC 2710 §4', 'a done', 'mld.for-routers', { message: done, packet: toUs('ff02::1') }],
  ['RFC 3810 §5', 'a version 2 report', 'mld.for-routers', { message: records, packet: toUs('ff02::1') }],
  ['RFC 3810 §5.2.14', 'a version 2 report where it belongs', 'ipv6.not-a-member', { message: records, packet: toUs('ff02::16') }],
  [
    'RFC 3810 §5.2',
    'a version 2 report whose record is not there',
    'mld.truncated',
    { message: records, change: cut(8), packet: toUs('ff02::1') },
  ],
  [
    'RFC 3810 §5.2',
    'a version 2 report of 65,535 records',
    'mld.truncated',
    { message: records, change: put(6, 255, 255), packet: toUs('ff02::1') },
  ],
  ['RFC 3810 §5.2.6', 'auxiliary data over the end', 'mld.truncated', { message: records, change: put(9, 200), packet: toUs('ff02::1') }],
  [
    'RFC 3810 §5.2.7',
    'a record with a source that is not there',
    'mld.truncated',
    { message: records, change: put(10, 0, 1), packet: toUs('ff02::1') },
  ],
  ['RFC 3810 §5.1.15', 'a query of a group that nobody is in', 'ipv6.not-a-member', { message: query('ff05::99') }],
])('%s: %s: %s', async (_section, _what, reason, bad) => {
  link.send(bad.message, bad.packet, bad.change);
  expect(await link.said(20_000)).toEqual([]);
  expect(link.peer.drops()).toEqual([reason]);
});

test.each<[section: string, what: string, good: Case, answers: readonly string[]]>([
  ['RFC 3810 §5.1.15', 'of the group, to it', { message: specific }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §5.1.15', 'of the group, to all nodes', { message: specific, packet: toUs('ff02::1') }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §5.1.15', 'of the group, to an address of ours', { message: specific, packet: toUs(HOST) }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §6.2', 'of the group and a source', { message: sourced }, [`IS_IN ${GROUP} fd00::77`]],
  ['RFC 3810 §5.1.2', 'whatever its code', { message: specific, change: put(1, 77) }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §5.1.4', 'whatever stands in reserved fields', { message: specific, change: put(6, 255, 255) }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §5.1.13', 'with more behind it', { message: specific, change: longer(40) }, [`IS_EX ${GROUP}`]],
  ['RFC 3810 §8.2.1', 'of version 1', { message: v1specific }, [`REPORT ${GROUP} to ${GROUP}`]],
  [
    'RFC 2711 §2.1',
    'the router alert behind another option',
    { message: specific, packet: { headers: [{ type: 0, options: [{ type: 0x1e, data: new Uint8Array(2) }, ALERT[0].options[0]] }] } },
    [`IS_EX ${GROUP}`],
  ],
])('%s: a good query is answered: %s', async (_section, _what, good, answers) => {
  link.send(good.message, good.packet, good.change);
  expect(await link.said(20_000)).toEqual(answers);
  expect(link.peer.drops()).toEqual([]);
});
