import { Message, SKB_TYPE } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { emitIpv4Packet, emitUdp } from '@softnet/wire';
import { addresses, G, join, set } from './group-values.ts';
import { inputTo } from './input-to.ts';
import type { MemberReader } from './member-reader.ts';
import { memberReader } from './member-reader.ts';
import { ipv4, RawLink } from './raw-link.ts';
import { takenWithoutGarbage } from './taken-without-garbage.ts';
import { VoidModule } from './void-module.ts';
import { withoutGarbage } from './without-garbage.ts';

const INET = 2;
const GROUP = '239.1.1.1';

let link: RawLink;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  link = await RawLink.open();
  link.host.addRoute('224.0.0.0/4', { dev: 'eth0' });
  receive = inputTo(link.host, SKB_TYPE.MULTICAST);
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const packet = emitIpv4Packet(
  ipv4({ dst: GROUP, ttl: 1, payload: emitUdp({ srcPort: 9, dstPort: 5000, checksum: 0, payload: new Uint8Array(1000) }) }),
);

function member(port: number): MemberReader {
  const user = link.host.open({ family: INET });
  user.sock.flags |= 1;
  user.bind('0.0.0.0', port);
  join(user, GROUP, link.host.device('eth0').ifindex);
  expect(set(user, G.BLOCK_SOURCE, addresses(GROUP, '10.0.0.1', '10.0.0.77'))).toBe(0);
  return memberReader(user);
}

test('a packet to a group comes to its member without a byte of garbage', async () => {
  const one = member(5000);
  await link.net.pass(2000);
  takenWithoutGarbage(() => receive(packet), [one], 1000);
});

test('and to three members', async () => {
  const members = [member(5000), member(5000), member(5000)];
  await link.net.pass(2000);
  takenWithoutGarbage(() => receive(packet), members, 1000);
});

test('a packet to a group leaves, and what nobody has joined is dropped, without a byte of garbage', async () => {
  await link.net.run(link.host.kernel.load(VoidModule));
  const user = link.host.open({ family: INET });
  user.connect(GROUP, 5000);
  const message = new Message();
  message.data = new Uint8Array(100);
  withoutGarbage(() => {
    if (user.sock.ops.calls!.send(user.sock, message) < 0) throw new Error('not sent');
    receive(packet);
  });
  user.close();
});
