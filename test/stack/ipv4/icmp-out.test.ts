import { ROUTE_TYPE, RouteTables } from '@softnet/contract';
import { emitIcmpv4, emitIpv4Packet, emitUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, EVERYBODY, HOST, ipv4, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
const FAR = '10.0.5.9';
let link: RawLink;
let far: RawPeer;
beforeEach(async () => {
  link = await RawLink.open([`${HOST}/24`, '10.0.7.1/24']);
  far = await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  set('ip_forward', true);
  await link.peer.introduce(link.net);
  link.peer.answers = true;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const set = (name: string, value: number | boolean): void => link.host.kernel.sysctl.set(`net.ipv4.${name}`, value);
const udp = (payloadBytes = 4): Uint8Array => emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: new Uint8Array(payloadBytes) });
/** A route of a type, for one service or all. */
const route = (prefix: string, prefixLen: number, type: number, tos = 0): void => {
  const words = [0, 0, 0xffff, word(prefix)] as const;
  link.host.kernel.port(RouteTables).current.add({ family: INET, prefix: words, prefixLen: prefixLen, type, tos, source: 4, nextHops: [] });
};
/** What comes back for a packet. */
const answer = async (packet: Parameters<typeof ipv4>[0], to?: string, passMs = 1) => {
  link.peer.ip({ payload: udp(), ...packet }, to);
  await link.net.pass(passMs);
  return link.peer.takeIcmp();
};

describe('what a router says of a packet that goes nowhere (RFC 1812 §5.2.7.1)', () => {
  test('no route: net unreachable; unreachable: host; prohibit: code 13; blackhole: nothing', async () => {
    route('192.0.2.0', 24, ROUTE_TYPE.UNREACHABLE);
    route('198.51.100.0', 24, ROUTE_TYPE.PROHIBIT);
    route('203.0.113.0', 24, ROUTE_TYPE.BLACKHOLE);
    const codes: (number | null)[] = [];
    for (const dst of ['172.16.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1']) {
      const [error = null] = await answer({ dst });
      codes.push(error === null ? null : error.code);
    }
    expect(codes).toEqual([0, 1, 13, null]);
  });

  test('unless another type of service would go: codes 11 and 12', async () => {
    link.host.addRoute('192.0.2.0/24', { via: FAR });
    route('192.0.2.0', 24, ROUTE_TYPE.UNREACHABLE, 0x10);
    expect(await answer({ dst: '192.0.2.1', tos: 0x10 })).toMatchObject([{ type: 3, code: 12 }]);
  });
});

describe('from which address (RFC 1812 §4.3.2.4)', () => {
  test('that was spoken to, or of the way back; or of the way in, if it is wished', async () => {
    expect(await answer({ dst: '10.0.7.1', payload: udp() })).toMatchObject([{ src: '10.0.7.1', code: 3 }]);
    expect(await answer({ dst: FAR, ttl: 1 })).toMatchObject([{ src: HOST, type: 11 }]);
    // A sender who is reached by another link than he came by.
    const strange = async () => {
      far.frames.length = 0;
      link.peer.ip({ src: '10.0.5.77', dst: '172.16.0.1', payload: udp() });
      far.arp({ sender: word('10.0.5.77'), target: word('10.0.5.1') }, far.mac);
      await link.net.pass(1);
      return far.takeIp().map(({ src, dst }) => [src, dst]);
    };
    expect(await strange()).toEqual([['10.0.5.1', '10.0.5.77']]);
    set('icmp_errors_use_inbound_ifaddr', true);
    expect(await strange()).toEqual([[HOST, '10.0.5.77']]);
  });
});

describe('precedence and quote', () => {
  test.each([
    [0x00, 0xc0],
    [0x1c, 0xdc],
    [0xe0, 0xc0],
    [0xff, 0xde],
  ])('of a packet with TOS %i the error has %i (RFC 1812 §4.3.2.5)', async (tos, expected) => {
    expect(await answer({ dst: FAR, ttl: 1, tos })).toMatchObject([{ tos: expected }]);
  });

  test('all that fits into 576 bytes, options included (RFC 1812 §4.3.2.3)', async () => {
    const options = [{ kind: 148, data: Uint8Array.of(0, 1) }];
    for (const payloadBytes of [0, 500, 1400]) {
      const packet = { dst: FAR, ttl: 1, options, payload: udp(payloadBytes) };
      const [error] = await answer(packet);
      expect(error!.payload).toEqual(emitIpv4Packet(ipv4(packet)).subarray(0, 548));
    }
  });
});

test.each([
  ['to the limited broadcast', { dst: '255.255.255.255', ttl: 1 }, EVERYBODY],
  ['to a subnet', { dst: '10.0.5.255', ttl: 1 }, undefined],
  ['to a group', { dst: '239.1.2.3', ttl: 1 }, '01:00:5e:01:02:03'],
  ['to one, in a frame to all', { dst: FAR, ttl: 1 }, EVERYBODY],
  ['from a group', { src: '224.0.0.9', dst: FAR, ttl: 1 }, undefined],
  ['from class E', { src: '240.0.0.9', dst: FAR, ttl: 1 }, undefined],
  ['from 127.0.0.9', { src: '127.0.0.9', dst: FAR, ttl: 1 }, undefined],
  ['from 0.0.0.0', { src: '0.0.0.0', dst: FAR, ttl: 1 }, undefined],
  ['from a subnet', { src: '10.0.0.255', dst: FAR, ttl: 1 }, undefined],
  ['that is a later fragment', { dst: FAR, ttl: 1, fragmentOffsetBytes: 8 }, undefined],
  [
    'that is an error',
    { dst: FAR, ttl: 1, protocol: 1, payload: emitIcmpv4({ type: 3, code: 3, rest: 0, payload: new Uint8Array(28) }) },
    undefined,
  ],
  [
    'that is a redirect',
    { dst: FAR, ttl: 1, protocol: 1, payload: emitIcmpv4({ type: 5, code: 1, rest: 7, payload: new Uint8Array(28) }) },
    undefined,
  ],
  [
    'of ICMP, of which the type is not known',
    { dst: FAR, ttl: 1, protocol: 1, payload: Uint8Array.of(77, 0, 0, 0, 0, 0, 0, 0) },
    undefined,
  ],
  ['of ICMP, without a type', { dst: FAR, ttl: 1, protocol: 1, payload: new Uint8Array(0) }, undefined],
])('nobody is told of a packet %s (RFC 1812 §4.3.2.7)', async (_what, packet, to) => {
  expect(await answer(packet, to, 50)).toEqual([]);
  expect(far.takeIp()).toEqual([]);
});

test('somebody is told of an echo that cannot pass', async () => {
  const payload = emitIcmpv4({ type: 8, code: 0, rest: 1, payload: new Uint8Array(8) });
  expect(await answer({ dst: FAR, ttl: 1, protocol: 1, payload })).toMatchObject([{ type: 11, code: 0 }]);
});

describe('limits (RFC 1812 §4.3.2.8)', () => {
  test('only of types in the mask; of others there is no end, replies included', async () => {
    set('icmp_ratemask', 0);
    for (let i = 0; i < 100; i++) link.peer.ip({ dst: FAR, ttl: 1, payload: udp() });
    await link.net.pass(1);
    expect(link.peer.takeIcmp().length).toBe(100);
    set('icmp_ratemask', 1);
    const echoes = await link.dropsOf(() => {
      for (let i = 0; i < 20; i++) link.peer.icmp({});
    });
    expect([echoes, link.peer.takeIcmp().length]).toEqual([{ 'icmpv4.limited': 14 }, 6]);
  });

  test('each sender has his own, and all together one more', async () => {
    link.host.addRoute('172.16.0.0/12', { via: PEER });
    for (let i = 0; i < 30; i++)
      for (let host = 1; host < 4; host++) link.peer.ip({ src: `172.16.0.${host}`, dst: FAR, ttl: 1, payload: udp() });
    await link.net.pass(0);
    const told = link.peer.takeIcmp().map(({ dst }) => dst);
    expect([1, 2, 3].map((host) => told.filter((dst) => dst === `172.16.0.${host}`).length)).toEqual([6, 6, 6]);
  });
});

describe('a timestamp request', () => {
  const request = Uint8Array.of(0, 0, 1, 0, 9, 9, 9, 9, 8, 8, 8, 8);

  test('is answered in the milliseconds of this kernel, which say that they are not of the day (RFC 792)', async () => {
    await link.net.pass(5000);
    link.peer.arp({}, link.peer.mac);
    link.peer.icmp({ type: 13, rest: 0x00070009, payload: request }, { tos: 0x10 });
    await link.net.pass(1);
    const [reply] = link.peer.takeIcmp();
    expect(reply).toMatchObject({ type: 14, code: 0, rest: 0x00070009, src: HOST, dst: PEER, tos: 0x10 });
    expect(reply!.payload.length).toBe(12);
    const times = new DataView(reply!.payload.buffer, reply!.payload.byteOffset);
    expect(times.getUint32(0)).toBe(0x100);
    expect(times.getUint32(4)).toBe(times.getUint32(8));
    expect(times.getUint32(4) - 0x80000000).toBeGreaterThanOrEqual(5000);
  });

  test('also where echoes are ignored; of what is behind it, nothing comes back', async () => {
    set('icmp_echo_ignore_all', true);
    link.peer.icmp({ type: 13, payload: new Uint8Array(500) });
    await link.net.pass(1);
    expect(link.peer.takeIcmp().map(({ type, payload }) => [type, payload.length])).toEqual([[14, 12]]);
  });
});
