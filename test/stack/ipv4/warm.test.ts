import { Devices, Message } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import type { Ipv4Packet } from '@softnet/wire';
import { emitIcmpv4, emitIpv4Packet, emitUdp, finishIpv4 } from '@softnet/wire';
import { inputTo } from './input-to.ts';
import { addPeer, HOST, ipv4, PEER, RawLink, word } from './raw-link.ts';
import { VoidModule } from './void-module.ts';
import { withoutGarbage } from './without-garbage.ts';

const INET = 2;

let link: RawLink;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  link = await RawLink.open();
  const { kernel } = link.host;
  kernel.sysctl.set('net.ipv4.ip_forward', true);
  const far = await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  await link.peer.introduce(link.net);
  far.arp({ sender: word('10.0.5.9'), target: word('10.0.5.1') }, far.mac);
  await link.net.pass(1);
  await link.net.run(kernel.load(VoidModule));
  receive = inputTo(link.host);
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: new Uint8Array(1008) });
const voided = (): number => link.host.kernel.dropReasons().find(({ name }) => name === 'test.void')!.count;
const bytesOf = (packet: Partial<Ipv4Packet>): Uint8Array => emitIpv4Packet(ipv4(packet));

test('an echo is answered without a byte of garbage', () => {
  const request = bytesOf({ protocol: 1, payload: emitIcmpv4({ type: 8, code: 0, rest: 1, payload: new Uint8Array(56) }) });
  const calls = withoutGarbage(() => receive(request));
  expect(voided()).toBe(calls);
});

test('a packet is forwarded without a byte of garbage', () => {
  const packet = bytesOf({ dst: '10.0.5.9', payload: udp });
  const calls = withoutGarbage(() => receive(packet));
  expect(voided()).toBe(calls);
});

test('nor is there any where sources are checked, and options say that it was here', () => {
  link.host.kernel.sysctl.set('net.ipv4.conf.all.rp_filter', 1);
  const options = [
    { kind: 7, data: Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0) },
    { kind: 68, data: Uint8Array.of(5, 1, 0, 0, 0, 0, 0, 0, 0, 0) },
  ];
  const packet = bytesOf({ dst: '10.0.5.9', payload: udp, options });
  const calls = withoutGarbage(() => receive(packet));
  expect(voided()).toBe(calls);
});

test('nor where it is cut on its way, or a fragment is cut again', () => {
  link.host.kernel.port(Devices).current.setMtu(link.host.device('eth1'), 500);
  const packet = bytesOf({ dst: '10.0.5.9', payload: udp });
  const part = bytesOf({ dst: '10.0.5.9', payload: udp, moreFragments: true, fragmentOffsetBytes: 800 });
  const whole = withoutGarbage(() => receive(packet));
  const again = withoutGarbage(() => receive(part));
  expect(voided()).toBe(3 * (whole + again));
});

test('fragments are put together without a byte of garbage', () => {
  const echo = emitIcmpv4({ type: 8, code: 0, rest: 1, payload: new Uint8Array(2000) });
  const parts = [0, 1000].map((from) => {
    const more = from === 0;
    return bytesOf({
      protocol: 1,
      id: 5,
      fragmentOffsetBytes: from,
      moreFragments: more,
      payload: echo.subarray(from, more ? 1000 : echo.length),
    });
  });
  const calls = withoutGarbage(() => parts.forEach(receive));
  // The reply is cut for the link's 1,500 bytes.
  expect(voided()).toBe(2 * calls);
});

test('a datagram is sent, and cut, without a byte of garbage', () => {
  const user = link.host.open({ family: INET });
  user.connect(PEER, 9);
  const { calls: socket } = user.sock.ops;
  const message = new Message();
  const send = (bytes: Uint8Array): void => {
    message.data = bytes;
    if (socket!.send(user.sock, message) < 0) throw new Error('not sent');
  };
  const [small, large] = [new Uint8Array(100), new Uint8Array(4000)];
  const whole = withoutGarbage(() => send(small));
  const cut = withoutGarbage(() => send(large));
  expect(voided()).toBe(whole + 3 * cut);
  user.close();
});

test('errors are sent, and a time is told, without a byte of garbage', () => {
  const { sysctl } = link.host.kernel;
  sysctl.set('net.ipv4.icmp_ratelimit', 0);
  sysctl.set('net.ipv4.icmp_msgs_per_sec', 1_000_000);
  sysctl.set('net.ipv4.icmp_msgs_burst', 1_000_000);
  const route = { kind: 7, data: Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0) };
  const dead = bytesOf({ dst: '10.0.5.9', ttl: 1, payload: udp });
  const nowhere = bytesOf({ dst: '192.0.2.1', options: [route], payload: udp });
  const time = bytesOf({ protocol: 1, options: [route], payload: emitIcmpv4({ type: 13, code: 0, rest: 1, payload: new Uint8Array(12) }) });
  const calls = withoutGarbage(() => {
    receive(dead);
    receive(nowhere);
    receive(time);
  });
  expect(voided()).toBe(3 * calls);
});

test('a flood of senders, each new, is told without a byte of garbage, and costs no memory', () => {
  const { sysctl } = link.host.kernel;
  sysctl.set('net.ipv4.icmp_msgs_per_sec', 1_000_000);
  sysctl.set('net.ipv4.icmp_msgs_burst', 1_000_000);
  link.host.addRoute('172.16.0.0/12', { via: PEER });
  const dead = bytesOf({ src: '172.16.0.0', dst: '10.0.5.9', ttl: 1, payload: new Uint8Array(8) });
  const view = new DataView(dead.buffer, dead.byteOffset);
  const first = word('172.16.0.0');
  let senders = 0;
  const calls = withoutGarbage(() => {
    view.setInt32(12, first + (senders++ & 0xfffff));
    finishIpv4(view, 0);
    receive(dead);
  });
  expect(voided()).toBe(calls);
});

test('errors are told to sockets, and dropped where there is none, without a byte of garbage', () => {
  const user = link.host.open({ family: INET });
  user.bind(HOST, 4000);
  user.connect(PEER, 9);
  // What the program does then is its own.
  user.sock.wake = null;
  const sent = (srcPort: number): Uint8Array =>
    emitIpv4Packet(ipv4({ src: HOST, dst: PEER, payload: emitUdp({ srcPort, dstPort: 9, checksum: 0, payload: new Uint8Array(4) }) }));
  const error = (code: number, rest: number, payload: Uint8Array): Uint8Array =>
    bytesOf({ protocol: 1, payload: emitIcmpv4({ type: 3, code, rest, payload }) });
  const [refused, unmatched] = [error(3, 0, sent(4000)), error(4, 900, sent(4001))];
  withoutGarbage(() => {
    receive(refused);
    receive(unmatched);
  });
  expect(user.sock.error).toBe(111);
  user.close();
});

test('a packet that leaves by the way it came is passed on, and its sender redirected no more, without a byte of garbage', async () => {
  link.host.addRoute('192.0.2.0/24', { via: '10.0.0.77' });
  link.peer.arp({ sender: word('10.0.0.77') }, link.peer.mac);
  await link.net.pass(1);
  const packet = bytesOf({ dst: '192.0.2.1', payload: udp });
  const before = voided();
  const calls = withoutGarbage(() => receive(packet));
  // Time stands still, so one redirect is all.
  expect(voided() - before).toBe(calls + 1);
});
