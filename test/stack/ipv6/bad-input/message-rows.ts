import { FAR, HOST, PEER } from '../raw-peer.ts';
import type { RawPacket, Row } from './row.ts';
import { bytesOf, icmp, rawPacket, sends } from './row.ts';

const GROUP = 'ff02::1';
const NONE = new Uint8Array(0);

function message(
  rfc: string,
  what: string,
  bytes: Uint8Array,
  drop: string | null,
  answers: readonly string[] = [],
  packet: RawPacket = {},
): Row {
  return { rfc, what, send: sends(58, bytes, packet), drops: drop === null ? [] : [drop], answers };
}

/** A packet that the host can have sent: UDP from its port 4000. */
function quoted(changes: RawPacket = {}, first = 17, body: Uint8Array | string = '0fa0000700080000'): Uint8Array {
  return rawPacket(first, bytesOf(body), { src: HOST, dst: FAR, ...changes });
}

/** An error about it. */
function error(rfc: string, what: string, type: number, code: number, rest: number, about: Uint8Array, drop: string): Row {
  return message(rfc, `an error: ${what}`, icmp(type, code, rest, about), drop);
}

const NOBODY = 'icmpv6.unmatched';
const ERRORS: readonly Row[] = [
  error('4443 §2.4 d', 'without a packet', 1, 0, 0, NONE, 'icmp.quote-truncated'),
  error('4443 §2.4 d', '39 bytes of one', 1, 0, 0, quoted().slice(0, 39), 'icmp.quote-truncated'),
  error('4443 §2.4 d', 'about an IPv4 packet', 1, 0, 0, quoted({ version: 4 }), 'icmp.quote-version'),
  error('4443 §2.4 d', 'whose extension headers are cut off', 1, 0, 0, quoted({}, 60, '1103'), 'icmp.quote-extension'),
  error('4443 §2.4 d', 'with 9 extension headers', 1, 0, 0, quoted({}, 60, '3c00010400000000'.repeat(9)), 'icmp.quote-extension'),
  error('5927 §4', 'about a packet of another host', 1, 0, 0, quoted({ src: PEER }), 'icmpv6.quote-not-ours'),
  error('5927 §4', 'about a packet to a group', 1, 4, 0, quoted({ dst: GROUP }), 'icmpv6.quote-not-ours'),
  error('5927 §4', 'about a flow that is not there', 1, 4, 0, quoted(), NOBODY),
  error('5927 §4', 'about one, behind extension headers', 1, 4, 0, quoted({}, 60, '110001040000000 00fa0000700080000'), NOBODY),
  error('5927 §4', 'too big, about a flow that is not there', 2, 0, 1300, quoted(), NOBODY),
  error('8201 §4', 'too big, of 1279', 2, 0, 1279, quoted(), 'icmpv6.mtu'),
  error('8201 §4', 'too big, of 0', 2, 0, 0, quoted(), 'icmpv6.mtu'),
  error('8201 §4', 'too big, of 68', 2, 0, 68, quoted(), 'icmpv6.mtu'),
  error('8201 §4', 'too big, of 4,294,967,295', 2, 0, -1, quoted(), NOBODY),
  error('5927 §4', 'about a later fragment', 1, 0, 0, quoted({}, 44, '1100000800000001ffff'), NOBODY),
  error('4443 §2.4 a', 'of a type that is not known', 100, 0, 0, quoted(), NOBODY),
  error('4443 §3.1', 'of a code that is not known', 1, 99, 0, quoted(), NOBODY),
  error('5927 §4', 'about a protocol that is not known', 4, 1, 6, quoted({}, 200), NOBODY),
  error('4443 §2.4 e', 'about an error', 1, 4, 0, quoted({}, 58, '0100000000000000'), NOBODY),
];

const OTHERS: readonly Row[] = [
  message('4443 §2.1', '7 bytes', icmp(128, 0, 0, NONE).slice(0, 7), 'icmpv6.truncated'),
  message('4443 §2.1', 'no bytes', NONE, 'icmpv6.truncated'),
  message('4443 §2.3', 'a wrong checksum', icmp(128, 0, 0, NONE).with(4, 9), 'icmpv6.checksum'),
  message('4443 §2.3', 'no checksum', icmp(128, 0, 0, NONE).with(2, 0).with(3, 0), 'icmpv6.checksum'),
  message('4443 §2.3', 'a checksum without the pseudo-header', bytesOf('80007fff00000000'), 'icmpv6.checksum'),
  message('4443 §4.1', 'an echo with another code', icmp(128, 9, 0, NONE), null, ['129']),
  message('4443 §4.2', 'a reply that nobody waits for', icmp(129, 0, 0, NONE), 'icmpv6.echo-reply'),
  message('4443 §2.4 b', 'type 200', icmp(200, 0, 0, NONE), 'icmpv6.type'),
  message('4443 §2.4 b', 'type 255', icmp(255, 0, 0, NONE), 'icmpv6.type'),
  message('4443 §2.4 b', 'type 138', icmp(138, 0, 0, NONE), 'icmpv6.type'),
  {
    ...message('4443 §4.2', 'an echo that a setting ignores', icmp(128, 0, 0, NONE), 'icmpv6.echo-ignored'),
    settings: { 'net.ipv6.icmp.echo_ignore_all': true },
  },
];

const LINK = '0101 020000000009';

/** @param body behind the first four bytes. */
function nd(
  rfc: string,
  what: string,
  type: number,
  body: string,
  drop: string | null,
  packet: RawPacket = {},
  answers: readonly string[] = [],
  code = 0,
): Row {
  const whole = { hopLimit: 255, ...packet };
  const bytes = bytesOf(body);
  const rest = bytes.length < 4 ? 0 : new DataView(bytes.buffer).getInt32(0);
  return message(rfc, `neighbor discovery: ${what}`, icmp(type, code, rest, bytes.slice(4), whole), drop, answers, whole);
}

const OURS = '00000000 fd000000000000000000000000000001';
const THEIRS = '00000000 fd000000000000000000000000000009';
const STRANGER = 'fd000000000000000000000000000055';
const MANY = '00000000 ff020000000000000000000000000001';
const ND: readonly Row[] = [
  nd('4861 §7.2.3', 'a solicitation as it should be', 135, `${OURS}${LINK}`, null, {}, [`136 to ${PEER}`]),
  nd('4861 §7.1.1', 'a hop limit of 254', 135, `${OURS}${LINK}`, 'nd.hop-limit', { hopLimit: 254 }),
  nd('4861 §7.1.1', 'a hop limit of 1', 135, `${OURS}${LINK}`, 'nd.hop-limit', { hopLimit: 1 }),
  nd('4861 §7.1.1', 'a hop limit of 0', 135, `${OURS}${LINK}`, 'nd.hop-limit', { hopLimit: 0 }),
  nd('4861 §7.1.1', 'code 1', 135, `${OURS}${LINK}`, 'nd.code', {}, [], 1),
  nd('4861 §7.1.1', '23 bytes', 135, OURS.slice(0, -2), 'nd.truncated'),
  nd('4861 §7.1.1', '8 bytes', 135, '00000000', 'nd.truncated'),
  nd('4861 §7.1.1', 'an option of length 0', 135, `${OURS}0100000000000000`, 'nd.option'),
  nd('4861 §7.1.1', 'a second option of length 0', 135, `${OURS}${LINK}0e00000000000000`, 'nd.option'),
  nd('4861 §7.1.1', 'an option that is longer than the message', 135, `${OURS}0102020000000009`, 'nd.option'),
  nd('4861 §7.1.1', 'an option of 4 bytes', 135, `${OURS}01010200`, 'nd.option'),
  nd('4861 §4.6', 'an option that is not known', 135, `${OURS}fd01000000000000`, null, {}, [`136 to ${PEER}`]),
  nd('4861 §7.1.1', 'a target that is a group', 135, `${MANY}${LINK}`, 'nd.target'),
  nd('4861 §7.2.3', 'a target of another', 135, `00000000${STRANGER}${LINK}`, 'nd.not-ours'),
  nd('4861 §7.1.1', 'from nobody, with a link address', 135, `${OURS}${LINK}`, 'nd.unspecified', { src: '::', dst: 'ff02::1:ff00:1' }),
  nd('4861 §7.1.1', 'from nobody, to one', 135, OURS, 'nd.unspecified', { src: '::' }),
  nd('4861 §7.1.1', 'from nobody, to all', 135, OURS, 'nd.unspecified', { src: '::', dst: GROUP }),
  nd('4861 §7.1.2', 'an advertisement with a hop limit of 254', 136, `${THEIRS}${LINK}`, 'nd.hop-limit', { hopLimit: 254 }),
  nd('4861 §7.1.2', 'an advertisement, code 1', 136, `${THEIRS}${LINK}`, 'nd.code', {}, [], 1),
  nd('4861 §7.1.2', 'an advertisement of 23 bytes', 136, THEIRS.slice(0, -2), 'nd.truncated'),
  nd('4861 §7.1.2', 'an advertisement with an option of length 0', 136, `${THEIRS}0200000000000000`, 'nd.option'),
  nd('4861 §7.1.2', 'an advertisement about a group', 136, `${MANY}${LINK}`, 'nd.target'),
  nd('4861 §7.1.2', 'solicited, and to all', 136, `40${THEIRS.slice(2)}${LINK}`, 'nd.solicited', { dst: GROUP }),
  nd('4861 §7.2.5', 'of a stranger, without a link address', 136, `20000000${STRANGER}`, 'nd.no-link-address'),
  nd('4861 §6.1.1', 'a router solicitation with a hop limit of 254', 133, '00000000', 'nd.hop-limit', { hopLimit: 254 }),
  nd('4861 §6.1.1', 'a router solicitation, code 1', 133, '00000000', 'nd.code', {}, [], 1),
  nd('4861 §6.1.1', 'a router solicitation with an option of length 0', 133, '000000000100000000000000', 'nd.option'),
  nd('4861 §6.1.1', 'a router solicitation from nobody, with a link address', 133, `00000000${LINK}`, 'nd.unspecified', {
    src: '::',
    dst: GROUP,
  }),
];

export const MESSAGE_ROWS: readonly Row[] = [...ERRORS, ...OTHERS, ...ND];
