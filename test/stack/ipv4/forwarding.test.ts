import { emitUdp, parseUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, EVERYBODY, HOST, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const FAR = '10.0.5.9';
let link: RawLink;
let far: RawPeer;
beforeEach(async () => {
  link = await RawLink.open();
  far = await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  link.host.kernel.sysctl.set('net.ipv4.ip_forward', true);
  await link.peer.introduce(link.net);
  link.peer.answers = true;
  far.arp({ sender: word(FAR), target: word('10.0.5.1') }, far.mac);
  await link.net.pass(1);
  far.frames.length = 0;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = (payloadBytes = 4): Uint8Array =>
  emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: Uint8Array.from({ length: payloadBytes }, (_, i) => i & 0xff) });

test('passes on what is for others, with a hop less and all else as it was', async () => {
  const options = [{ kind: 148, data: Uint8Array.of(0, 0) }];
  const packet = { dst: FAR, ttl: 9, tos: 0x2c, id: 4711, options, payload: udp(), dontFragment: true };
  link.peer.ip(packet);
  await link.net.pass(1);
  expect(far.frames[0]).toMatchObject({ dst: PEER_MAC, src: far.mac });
  expect(far.takeIp()).toEqual([expect.objectContaining({ ...packet, src: PEER, ttl: 8 })]);
  expect(link.peer.takeIp()).toEqual([]);
});

test('does not where it is told not to', async () => {
  link.host.kernel.sysctl.set('net.ipv4.ip_forward', false);
  expect(await link.dropsOf(() => link.peer.ip({ dst: FAR }))).toEqual({ 'ipv4.not-forwarding': 1 });
  expect(await link.dropsOf(() => link.peer.ip({ dst: '192.0.2.1' }))).toEqual({ 'ipv4.not-forwarding': 1 });
  expect([far.takeIp(), link.peer.takeIp()]).toEqual([[], []]);
});

describe('says why not', () => {
  test.each([0, 1])('TTL %i', async (ttl) => {
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, ttl, payload: udp() }))).toEqual({ 'ipv4.ttl': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 11, code: 0, src: HOST }]);
  });

  test('no route, and routes that refuse', async () => {
    expect(await link.dropsOf(() => link.peer.ip({ dst: '192.0.2.1', payload: udp() }))).toEqual({ 'ipv4.no-route': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 0, src: HOST }]);
  });

  test('too big, and not to be cut: how much would fit', async () => {
    far.frames.length = 0;
    link.host.kernel.port((await import('@softnet/contract')).Devices).current.setMtu(link.host.device('eth1'), 1000);
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, payload: udp(1200), dontFragment: true }))).toEqual({ 'ipv4.too-big': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 4, rest: 1000, src: HOST }]);
    expect(far.takeIp()).toEqual([]);
  });

  test('a host that does not answer', async () => {
    link.peer.ip({ dst: '10.0.5.77', payload: udp() });
    await link.net.pass(5000);
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 1, src: HOST }]);
    expect(far.takeArp().map(({ target, to }) => [target, to])).toEqual(new Array(3).fill([word('10.0.5.77'), EVERYBODY]));
  });
});

test('cuts what may be cut; pieces are cut again, and options that are not copied stay in the first', async () => {
  const { Devices } = await import('@softnet/contract');
  link.host.kernel.port(Devices).current.setMtu(link.host.device('eth1'), 500);
  const options = [
    { kind: 7, data: Uint8Array.of(4, 0, 0, 0, 0) },
    { kind: 148, data: Uint8Array.of(0, 0) },
  ];
  const whole = udp(1000);
  link.peer.ip({ dst: FAR, id: 99, options, payload: whole.subarray(0, 800), moreFragments: true });
  link.peer.ip({ dst: FAR, id: 99, options: [], payload: whole.subarray(800), fragmentOffsetBytes: 800 });
  await link.net.pass(1);
  const pieces = far.takeIp();
  expect(pieces.map((p) => [p.fragmentOffsetBytes, p.payload.length, p.moreFragments, p.id])).toEqual([
    [0, 464, true, 99],
    [464, 336, true, 99],
    [800, 208, false, 99],
  ]);
  expect(pieces.map((p) => p.options.map(({ kind }) => kind).filter((kind) => kind !== 1))).toEqual([[7, 148], [148], []]);
  const joined = Uint8Array.from(pieces.flatMap(({ payload }) => [...payload]));
  expect(joined).toEqual(whole);
  expect(parseUdp(joined, 0, joined.length)).toMatchObject({ dstPort: 99 });
});

test('frames to many are for this host only', async () => {
  expect(await link.dropsOf(() => link.peer.ip({ dst: FAR }, EVERYBODY))).toEqual({ 'ipv4.unicast-by-broadcast': 1 });
  expect(far.takeIp()).toEqual([]);
});

test('answers for addresses of its other links', async () => {
  link.peer.arp({ target: word('10.0.5.1') });
  link.peer.icmp({}, { dst: '10.0.5.1' });
  await link.net.pass(1);
  const frames = [...link.peer.frames];
  link.peer.frames.length = 0;
  link.peer.frames.push(...frames.filter(({ type }) => type === 0x800));
  expect(link.peer.takeIcmp()).toMatchObject([{ type: 0, src: '10.0.5.1' }]);
  expect(mac(link.peer.mac).length).toBe(6);
});
