import type { IcmpMessage, Ipv4Packet } from '@softnet/wire';
import { emitIcmpv4, emitIpv4Packet, emitUdp } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERYBODY, HOST, ipv4, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
const FAR = '192.0.2.7';
/** Of the one flow that this host has: its socket is connected to PEER's port 9. */
const PORT = 4000;
let link: RawLink;
let told: string[];

beforeAll(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.peer.answers = true;
  link.host.addRoute('default', { via: PEER });
  const user = link.host.open({ family: INET });
  user.bind(HOST, PORT);
  user.connect(PEER, 9);
  const { sock } = user;
  sock.ops.calls!.setOption(sock, 0, 11, Uint8Array.of(1));
  told = [];
  sock.wake = () => {
    told.push(`${sock.error}`);
    sock.error = 0;
  };
});
afterAll(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = (srcPort = PORT, dstPort = 9): Uint8Array => emitUdp({ srcPort, dstPort, checksum: 0, payload: new Uint8Array(20) });
/** What the host has sent, or not. */
const sent = (packet: Partial<Ipv4Packet> = {}): Uint8Array => emitIpv4Packet(ipv4({ src: HOST, dst: PEER, payload: udp(), ...packet }));
const patched = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};
const nops = Array.from({ length: 40 }, () => ({ kind: 1, data: new Uint8Array(0) }));

interface Row {
  readonly message?: Partial<IcmpMessage>;
  /** Bytes in the place of a message. */
  readonly bytes?: Uint8Array;
  readonly packet?: Partial<Ipv4Packet>;
  readonly to?: string;
}
const error = (payload: Uint8Array, type = 3, code = 1, rest = 0): Row => ({ message: { type, code, rest, payload } });
const redirect = (gateway: string, code = 1, packet: Partial<Ipv4Packet> = {}, quoted = sent({ dst: FAR })): Row => ({
  message: { type: 5, code, rest: word(gateway), payload: quoted },
  packet,
});
const header = emitIcmpv4({ type: 8, code: 0, rest: 1, payload: new Uint8Array(0) });

/** What, the RFC that decides it, what comes, and why it is dropped. */
const ROWS: readonly (readonly [what: string, rfc: string, row: Row, reason: string])[] = [
  ...[0, 1, 4, 7].map((cut) => [`cut to ${cut} bytes`, 'RFC 792', { bytes: header.subarray(0, cut) }, 'icmpv4.truncated'] as const),
  ['a timestamp of 19 bytes', 'RFC 792', { message: { type: 13, payload: new Uint8Array(11) } }, 'icmpv4.truncated'],
  ['a bare header for a timestamp', 'RFC 792', { message: { type: 13, payload: new Uint8Array(0) } }, 'icmpv4.truncated'],
  ['a wrong checksum', 'RFC 1122 §3.2.2', { bytes: patched(header, 3, 0x5a) }, 'icmpv4.checksum'],
  ['a checksum of zero that is not right', 'RFC 1122 §3.2.2', { bytes: patched(patched(header, 2, 0), 3, 0) }, 'icmpv4.checksum'],
  [
    'an error with a wrong checksum',
    'RFC 1122 §3.2.2',
    { bytes: patched(emitIcmpv4({ type: 3, code: 3, rest: 0, payload: sent() }), 2, 9) },
    'icmpv4.checksum',
  ],
  ['a reply to nobody', 'RFC 1122 §3.2.2.6', { message: { type: 0 } }, 'icmpv4.unmatched'],
  ['a timestamp reply', 'RFC 1122 §3.2.2.8', { message: { type: 14, payload: new Uint8Array(12) } }, 'icmpv4.unmatched'],
  ...[1, 2, 7, 19, 29, 40, 41, 44, 200, 253, 255].map(
    (type) => [`type ${type}`, 'RFC 1122 §3.2.2', { message: { type } }, 'icmpv4.type'] as const,
  ),
  ...[42, 43].map((type) => [`extended echo: type ${type}`, 'RFC 8335 §3', { message: { type } }, 'icmpv4.type'] as const),
  ['source quench about our flow', 'RFC 6633 §3', error(sent(), 4, 0), 'icmpv4.obsolete'],
  ...[6, 15, 16, 17, 18, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39].map(
    (type) => [`type ${type}`, 'RFC 6918 §3', { message: { type } }, 'icmpv4.obsolete'] as const,
  ),
  ['a router advertisement', 'RFC 1256 §5', { message: { type: 9 } }, 'icmpv4.router-discovery'],
  ['a router solicitation', 'RFC 1256 §5', { message: { type: 10 } }, 'icmpv4.router-discovery'],
  ['an echo to the subnet', 'RFC 1122 §3.2.2.6', { packet: { dst: '10.0.0.255' }, to: EVERYBODY }, 'icmpv4.echo-ignored'],
  ['an echo to all', 'RFC 1122 §3.2.2.6', { packet: { dst: '255.255.255.255' }, to: EVERYBODY }, 'icmpv4.echo-ignored'],
  [
    'a timestamp request to all',
    'RFC 1122 §3.2.2.8',
    { message: { type: 13, payload: new Uint8Array(12) }, packet: { dst: '255.255.255.255' }, to: EVERYBODY },
    'icmpv4.echo-ignored',
  ],
  ...[3, 11, 12, 5].map(
    (type) => [`type ${type} without a quote`, 'RFC 792', error(new Uint8Array(0), type, 0), 'icmp.quote-truncated'] as const,
  ),
  ['a quote cut within its header', 'RFC 792', error(sent().subarray(0, 19)), 'icmp.quote-truncated'],
  ['a quote cut within its options', 'RFC 792', error(sent({ options: nops }).subarray(0, 59)), 'icmp.quote-truncated'],
  ['a quote of IPv6', 'RFC 792', error(patched(sent(), 0, 0x65)), 'icmp.quote-version'],
  ['a quote whose header is 4 words', 'RFC 791 §3.1', error(patched(sent(), 0, 0x44)), 'icmp.quote-version'],
  ['a quote of nothing behind its header', 'RFC 792', error(sent().subarray(0, 20)), 'icmpv4.quote-short'],
  ['a quote of 7 bytes', 'RFC 792', error(sent().subarray(0, 27)), 'icmpv4.quote-short'],
  ['7 bytes behind options', 'RFC 792', error(sent({ options: nops }).subarray(0, 67)), 'icmpv4.quote-short'],
  ['a quote that ends by its own length', 'RFC 4884 §4', error(sent(), 3, 1, 6 << 16), 'icmpv4.quote-short'],
  ['a packet of 5 bytes', 'RFC 792', error(sent({ payload: new Uint8Array(5) })), 'icmpv4.quote-short'],
  ...[16, 17, 99, 255].map((code) => [`unreachable, code ${code}`, 'RFC 1812 §5.2.7.1', error(sent(), 3, code), 'icmpv4.type'] as const),
  ['time exceeded, code 2', 'RFC 792', error(sent(), 11, 2), 'icmpv4.type'],
  ['parameter problem, code 3', 'RFC 1108 §4', error(sent(), 12, 3), 'icmpv4.type'],
  ['redirect, code 4', 'RFC 792', redirect('10.0.0.77', 4), 'icmpv4.type'],
  ['about a packet of another host', 'RFC 5927 §4', error(sent({ src: '10.0.0.2' })), 'icmpv4.foreign-quote'],
  ['about a packet of the sender himself', 'RFC 5927 §4', error(sent({ src: PEER, dst: HOST })), 'icmpv4.foreign-quote'],
  ['about a packet from nobody', 'RFC 5927 §4', error(sent({ src: '0.0.0.0' })), 'icmpv4.foreign-quote'],
  ['about a packet to a group', 'RFC 1122 §3.2.2', error(sent({ dst: '224.0.0.5' })), 'icmpv4.group-quote'],
  ['about a packet to the subnet', 'RFC 1122 §3.2.2', error(sent({ dst: '10.0.0.255' })), 'icmpv4.group-quote'],
  ['about a packet to all', 'RFC 1122 §3.2.2', error(sent({ dst: '255.255.255.255' })), 'icmpv4.group-quote'],
  ['an error to all', 'RFC 1122 §3.2.2', { ...error(sent()), packet: { dst: '255.255.255.255' }, to: EVERYBODY }, 'icmpv4.group-quote'],
  ['an error to the subnet', 'RFC 1122 §3.2.2', { ...error(sent()), packet: { dst: '10.0.0.255' }, to: EVERYBODY }, 'icmpv4.group-quote'],
  ['about a later fragment', 'RFC 1122 §3.2.2', error(sent({ fragmentOffsetBytes: 8 })), 'icmpv4.unmatched'],
  ['about a later fragment, too big', 'RFC 1191 §3', error(sent({ fragmentOffsetBytes: 800 }), 3, 4, 600), 'icmpv4.unmatched'],
  [
    'about an error',
    'RFC 1122 §3.2.2',
    error(sent({ protocol: 1, payload: emitIcmpv4({ type: 3, code: 1, rest: 0, payload: sent() }) })),
    'icmpv4.unmatched',
  ],
  [
    'about an echo of no socket',
    'RFC 5927 §4',
    error(sent({ protocol: 1, payload: emitIcmpv4({ type: 8, code: 0, rest: 7 << 16, payload: sent() }) })),
    'icmpv4.unmatched',
  ],
  [
    'about an echo reply',
    'RFC 5927 §4',
    error(sent({ protocol: 1, payload: emitIcmpv4({ type: 0, code: 0, rest: 7 << 16, payload: sent() }) })),
    'icmpv4.unmatched',
  ],
  ['of a port that nobody has', 'RFC 5927 §4', error(sent({ payload: udp(PORT + 1) })), 'icmpv4.unmatched'],
  ['to a port that our flow is not with', 'RFC 5927 §4', error(sent({ payload: udp(PORT, 10) })), 'icmpv4.unmatched'],
  ['to a host that our flow is not with', 'RFC 5927 §4', error(sent({ dst: FAR })), 'icmpv4.unmatched'],
  ['of a protocol that nobody speaks', 'RFC 5927 §4', error(sent({ protocol: 200 })), 'icmpv4.unmatched'],
  ['too big, of no flow', 'RFC 5927 §7.2', error(sent({ payload: udp(1, 1) }), 3, 4, 576), 'icmpv4.unmatched'],
  ['too big, MTU 0, of no flow', 'RFC 5927 §7.2', error(sent({ payload: udp(1, 1) }), 3, 4, 0), 'icmpv4.unmatched'],
  ['a redirect of a stranger', 'RFC 1122 §3.2.2.2', redirect('10.0.0.77', 1, { src: '10.0.0.66' }), 'icmpv4.redirect-stranger'],
  [
    'a redirect of a stranger from afar',
    'RFC 1122 §3.2.2.2',
    redirect('10.0.0.77', 1, { src: '198.51.100.1' }),
    'icmpv4.redirect-stranger',
  ],
  ['a redirect of one who has no gateway', 'RFC 1122 §3.2.2.2', redirect('10.0.0.77', 1, {}, sent()), 'icmpv4.redirect-stranger'],
  ['a redirect to the host itself', 'RFC 1122 §3.2.2.2', redirect(HOST), 'icmpv4.redirect-gateway'],
  ['a redirect to the gateway itself', 'RFC 1122 §3.2.2.2', redirect(PEER), 'icmpv4.redirect-gateway'],
  ['a redirect off the link', 'RFC 1122 §3.2.2.2', redirect('10.0.1.1'), 'icmpv4.redirect-gateway'],
  ['a redirect to a group', 'RFC 1122 §3.2.2.2', redirect('224.0.0.2'), 'icmpv4.redirect-gateway'],
  ['a redirect to the subnet', 'RFC 1122 §3.2.2.2', redirect('10.0.0.255'), 'icmpv4.redirect-gateway'],
  ['a redirect to all', 'RFC 1122 §3.2.2.2', redirect('255.255.255.255'), 'icmpv4.redirect-gateway'],
  ['a redirect to 0.0.0.0', 'RFC 1122 §3.2.2.2', redirect('0.0.0.0'), 'icmpv4.redirect-gateway'],
  ['a redirect to 127.0.0.1', 'RFC 1122 §3.2.2.2', redirect('127.0.0.1'), 'icmpv4.redirect-gateway'],
  ['a redirect of no flow', 'RFC 5927 §4', redirect('10.0.0.77'), 'icmpv4.unmatched'],
  ['a redirect of no flow, by net', 'RFC 5927 §4', redirect('10.0.0.77', 0), 'icmpv4.unmatched'],
];

test('the table is as long as it claims', () => {
  expect(ROWS.length).toBeGreaterThanOrEqual(90);
});

test.each(ROWS)('%s (%s)', async (_what, _rfc, row, reason) => {
  const { message = {}, bytes, packet, to } = row;
  const act = (): void => {
    if (bytes === undefined) link.peer.icmp(message, packet, to);
    else link.peer.ip({ protocol: 1, payload: bytes, ...packet }, to);
  };
  told.length = 0;
  expect(await link.dropsOf(act)).toEqual({ [reason]: 1 });
  // Nobody is answered, or told, and no route is changed.
  expect([link.peer.takeIp(), told]).toEqual([[], []]);
  expect(link.host.kernel.port((await import('@softnet/contract')).Route).current.exceptions(INET)).toEqual([]);
});

test('the flow itself is told of all that is right', async () => {
  for (let code = 0; code < 16; code++) link.peer.icmp({ type: 3, code, rest: code === 4 ? 1400 : 0, payload: sent() });
  for (const code of [0, 1]) link.peer.icmp({ type: 11, code, payload: sent() });
  for (const code of [0, 1, 2]) link.peer.icmp({ type: 12, code, payload: sent() });
  told.length = 0;
  await link.net.pass(1);
  const unreachable = [101, 113, 92, 111, 90, 95, 101, 112, 113, 101, 113, 101, 113, 113, 113, 113];
  expect(told.map(Number)).toEqual([...unreachable, 113, 113, 71, 71, 71]);
  // With eight bytes, and with options in the quote.
  told.length = 0;
  link.peer.icmp({ type: 3, code: 1, payload: sent().subarray(0, 28) });
  link.peer.icmp({ type: 3, code: 1, payload: sent({ options: nops }).subarray(0, 68) });
  await link.net.pass(1);
  expect(told).toEqual(['113', '113']);
});
