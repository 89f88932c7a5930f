import { Message, SKB_TYPE, SkbPools } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { addSums, checksumOf, emitIpv6Packet, emitUdp, pseudoHeaderSum, sumBytes } from '@softnet/wire';
import { inputTo } from '../ipv4/input-to.ts';
import type { MemberReader } from '../ipv4/member-reader.ts';
import { memberReader } from '../ipv4/member-reader.ts';
import { takenWithoutGarbage } from '../ipv4/taken-without-garbage.ts';
import { VoidModule } from '../ipv4/void-module.ts';
import { withoutGarbage } from '../ipv4/without-garbage.ts';
import { G, ints, join, set, source } from './group-values.ts';
import { MldLink, query, words } from './mld-link.ts';
import { packetOf, RawPeer } from './raw-peer.ts';

const INET6 = 10;
const GROUP = 'ff05::1:3';

let peer: RawPeer;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  peer = await RawPeer.boot();
  receive = inputTo(peer.host, SKB_TYPE.MULTICAST);
});
afterEach(async () => {
  expect(peer.host.kernel.port(SkbPools).current.usage()[0]!.skbsOut).toBe(0);
  await peer.end();
});

const udp = { srcPort: 9, dstPort: 5000, payload: new Uint8Array(1000) };
const whole = emitUdp({ ...udp, checksum: 0 });
const sum = sumBytes(new DataView(whole.buffer), 0, whole.length);
const checksum = checksumOf(addSums(sum, pseudoHeaderSum(...words('fd00::9'), ...words(GROUP), 17, whole.length)));
const packet = emitIpv6Packet(packetOf({ dst: GROUP, hopLimit: 1, payload: emitUdp({ ...udp, checksum }) }));

function member(port: number): MemberReader {
  const user = peer.host.open({ family: INET6 });
  user.sock.flags |= 1;
  user.bind('::', port);
  const { ifindex } = peer.host.device('eth0');
  join(user, GROUP, ifindex);
  expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::77', ifindex))).toBe(0);
  return memberReader(user);
}

test('a packet to a group comes to its member without a byte of garbage', async () => {
  const one = member(5000);
  await peer.net.pass(2000);
  takenWithoutGarbage(() => receive(packet), [one], 1000);
});

test('and to three members', async () => {
  const members = [member(5000), member(5000), member(5000)];
  await peer.net.pass(2000);
  takenWithoutGarbage(() => receive(packet), members, 1000);
});

test('a packet to a group leaves, and what nobody has joined is dropped, without a byte of garbage', async () => {
  await peer.net.run(peer.host.kernel.load(VoidModule));
  const user = peer.host.open({ family: INET6 });
  expect(set(user, G.MULTICAST_IF, ints(peer.host.device('eth0').ifindex))).toBe(0);
  user.connect(GROUP, 5000);
  const message = new Message();
  message.data = new Uint8Array(100);
  withoutGarbage(() => {
    if (user.sock.ops.calls!.send(user.sock, message) < 0) throw new Error('not sent');
    receive(packet);
  });
  user.close();
});

test('a flood of queries that ask for ever other sources, and of reports of ever other groups, keeps nothing', async () => {
  const link = await MldLink.open();
  const { host, net } = link.peer;
  const user = host.open({ family: INET6 });
  join(user, GROUP, host.device('eth0').ifindex);
  let at = 0;
  const flood = async (rounds: number): Promise<number> => {
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 200; i++) {
        const sources = [0, 1, 2].map(() => words(`fd00::${(++at >> 16).toString(16)}:${(at & 0xffff).toString(16)}`));
        const group = `ff05::${(at & 0xffff).toString(16)}`;
        if (i % 2 === 0) link.send(query(GROUP, { sources, maxResponseMs: 8_000_000 }));
        else link.send({ type: 131, group: words(group) }, { dst: GROUP });
      }
      await link.peer.answers(1);
    }
    link.peer.drops();
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  const heaps: number[] = [];
  for (let window = 0; window < 7; window++) heaps.push(await flood(12));
  const grown = heaps.slice(1).map((bytes, i) => bytes - heaps[i]!);
  // Of 1,200 queries with 3,600 sources, and as many reports: none, once it is warm; what asking for the heap's size takes is less.
  expect(Math.min(...grown)).toBeLessThan(20_000);
  user.close();
  await net.pass(1);
  await link.peer.end();
});
