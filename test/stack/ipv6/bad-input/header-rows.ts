import { FAR, HOST, HOST_LINK, PEER } from '../raw-peer.ts';
import type { RawPacket, Row } from './row.ts';
import { bytesOf, echo, rawPacket, sends } from './row.ts';

const GROUP = 'ff02::1';

/** An echo whose header differs so. */
function header(rfc: string, what: string, packet: RawPacket, drop: string | null, answers: readonly string[] = []): Row {
  return { rfc, what, send: sends(58, echo(packet), packet), drops: drop === null ? [] : [drop], answers };
}

/** The first bytes of a packet only. */
function cut(lenBytes: number, drop: string): Row {
  const send: Row['send'] = (peer) => peer.bytes(rawPacket(58, echo()).slice(0, lenBytes));
  return { rfc: '8200 §3', what: `${lenBytes} bytes of it`, send, drops: [drop], answers: [] };
}

/** A unicast packet in a frame to all nodes. */
function inGroupFrame(drops: boolean): Row {
  const name = 'net.ipv6.conf.eth0.drop_unicast_in_l2_multicast';
  return {
    rfc: '1122 §3.3.6',
    what: `to one host, in a frame to many${drops ? ', which a setting drops' : ''}`,
    send: (peer) => peer.bytes(rawPacket(58, echo()), HOST, '33:33:00:00:00:01'),
    drops: drops ? ['ipv6.unicast-by-multicast'] : [],
    answers: drops ? [] : ['129'],
    settings: { [name]: drops },
  };
}

export const HEADER_ROWS: readonly Row[] = [
  header('8200 §3', 'as it should be', {}, null, ['129']),
  ...[0, 4, 5, 7, 15].map((version) => header('8200 §3', `version ${version}`, { version }, 'ipv6.version')),
  ...[1, 20, 39].map((lenBytes) => cut(lenBytes, 'ipv6.truncated')),
  ...[40, 47].map((lenBytes) => cut(lenBytes, 'ipv6.payload-length')),
  header('8200 §3', 'a payload length of one more', { payloadBytes: 9 }, 'ipv6.payload-length'),
  header('8200 §3', 'the largest payload length', { payloadBytes: 65_535 }, 'ipv6.payload-length'),
  header('4443 §2.1', 'a payload length of 7, the rest is padding of the link', { payloadBytes: 7 }, 'icmpv6.truncated'),
  header('4443 §2.1', 'no payload length, and no hop-by-hop header', { payloadBytes: 0 }, 'icmpv6.truncated'),
  header('8200 §3', 'a hop limit of 0, at its destination', { hopLimit: 0 }, null, ['129']),
  header('8200 §3', 'a hop limit of 1, at its destination', { hopLimit: 1 }, null, ['129']),
  header('4291 §2.7', 'from a group', { src: GROUP }, 'ipv6.source'),
  header('4291 §2.5.3', 'from ::1', { src: '::1' }, 'ipv6.source'),
  header('4942 §2.2', 'from an IPv4-mapped address', { src: '::ffff:10.0.0.1' }, 'ipv6.source'),
  header('4291 §2.5.2', 'to ::', { dst: '::' }, 'ipv6.destination'),
  header('4291 §2.5.3', 'to ::1', { dst: '::1' }, 'ipv6.destination'),
  header('4942 §2.2', 'to an IPv4-mapped address', { dst: '::ffff:10.0.0.1' }, 'ipv6.destination'),
  header('4291 §2.7', 'to a group of scope 0', { dst: 'ff00::1' }, 'ipv6.destination'),
  header('4291 §2.7', 'to a group of scope 1', { dst: 'ff01::1' }, 'ipv6.destination'),
  header('4291 §2.8', 'to a group that is not joined', { dst: 'ff02::77' }, 'ipv6.not-a-member'),
  header('4291 §2.8', 'to all routers, at a host', { dst: 'ff02::2' }, 'ipv6.not-a-member'),
  header('4291 §2.8', 'to all nodes', { dst: GROUP }, null, ['129']),
  header('4443 §4.2', 'to all nodes, which a setting ignores', { dst: GROUP }, 'icmpv6.echo-ignored'),
  header('8200 §1', 'to another host of the net', { dst: 'fd00::77' }, 'ipv6.not-forwarding'),
  header('4007 §9', 'to a link-local address of nobody', { src: 'fe80::9', dst: 'fe80::77' }, 'ipv6.not-forwarding'),
  header('4007 §9', 'to the link-local address of this link', { src: 'fe80::9', dst: HOST_LINK }, null, ['129']),
  inGroupFrame(false),
  inGroupFrame(true),
].map((row) => (row.drops[0] === 'icmpv6.echo-ignored' ? { ...row, settings: { 'net.ipv6.icmp.echo_ignore_multicast': true } } : row));

/** Through a router. */
function through(rfc: string, what: string, packet: RawPacket, drop: string | null, answers: readonly string[] = []): Row {
  const whole = { dst: FAR, ...packet };
  return {
    rfc,
    what: `through a router: ${what}`,
    send: sends(253, bytesOf('00'), whole),
    drops: drop === null ? [] : [drop],
    answers,
    router: true,
  };
}

export const ROUTER_ROWS: readonly Row[] = [
  through('8200 §3', 'as it should be', {}, null, ['protocol 253']),
  through('8200 §3', 'a hop limit of 2', { hopLimit: 2 }, null, ['protocol 253']),
  through('4443 §3.3', 'a hop limit of 1', { hopLimit: 1 }, 'ipv6.hop-limit', ['3/0']),
  through('4443 §3.3', 'a hop limit of 0', { hopLimit: 0 }, 'ipv6.hop-limit', ['3/0']),
  through('4443 §3.1', 'to nowhere', { dst: '2001:db8::1' }, 'route.none', ['1/0']),
  through('4007 §9', 'from a link-local address', { src: 'fe80::9' }, 'ipv6.scope', ['1/2']),
  through('4291 §2.5.2', 'from ::', { src: '::' }, 'ipv6.scope'),
  through('4291 §2.5.3', 'from ::1', { src: '::1' }, 'ipv6.source'),
  through('4291 §2.5.6', 'to a link-local address', { dst: 'fe80::77' }, 'ipv6.scope'),
  through('4291 §2.7', 'from a group', { src: 'ff02::5' }, 'ipv6.source'),
  through('4443 §2.4 e', 'from nobody, to nowhere', { src: '::', dst: '2001:db8::1' }, 'route.none'),
  through('4291 §2.8', 'to all routers, which it is', { dst: 'ff02::2', src: PEER }, 'ipv6.no-protocol'),
];
