import { ETHERTYPE, MESSAGE_FLAG, PACKET_OPTION, SKB_TYPE, SOCK_TYPE } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packetHosts } from './packet-hosts.ts';
import type { PacketUser } from './packet-user.ts';
import { linkAddress } from './packet-user.ts';

const byte = fc.nat(255);
const ethertype = fc.constantFrom(0, ETHERTYPE.ALL, ETHERTYPE.IPV4, ETHERTYPE.ARP, ETHERTYPE.VLAN, 0x88b5, 0x26);
const someFrame = fc
  .tuple(fc.array(byte, { minLength: 12, maxLength: 12 }), ethertype, fc.array(byte, { maxLength: 200 }))
  .map(([macs, type, payload]) => Uint8Array.of(...macs, type >>> 8, type & 0xff, ...payload));
const anything = fc.oneof(someFrame, fc.uint8Array({ maxLength: 60 }));

test('whatever is sent: all who ask for all see the same bytes on both hosts, nobody throws, and nothing is left', async () => {
  const net = await packetHosts();
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 8 }), async (frames) => {
      const [sender, near, far] = [net.near(SOCK_TYPE.RAW, 0), net.near(), net.far()];
      sender.bind(net.nearEth);
      near.bind(net.nearEth);
      const sent = frames.filter((one) => sender.send(one) === one.length);
      await net.settle();
      expect(near.all().map(({ bytes }) => bytes)).toEqual(sent);
      // A tag is taken off, and what is no Ethernet II is refused before the taps.
      const plain = sent.filter((one) => one.length >= 14 && ((one[12]! << 8) | one[13]!) >= 0x600 && one[12] !== 0x81);
      const seen = far.all().filter(({ bytes }) => plain.some((one) => Buffer.compare(one, bytes) === 0));
      expect(seen.length).toBeGreaterThanOrEqual(plain.length);
      for (const user of [sender, near, far]) user.close();
    }),
    { numRuns: 60 },
  );
  expect(await net.end()).toEqual([]);
});

test('whatever users call in whatever order, nothing throws and nothing is left', async () => {
  const net = await packetHosts();
  const call = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('bind', 'send', 'cooked', 'receive', 'take', 'peek', 'join', 'leave', 'down', 'up', 'settle', 'close'),
    type: ethertype,
    ifindex: fc.integer({ min: -1, max: 3 }),
    bytes: anything,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
      const users = [0, 1, 2, 3].map((i) => {
        const type = i % 2 === 0 ? SOCK_TYPE.RAW : SOCK_TYPE.DGRAM;
        return i < 2 ? net.near(type) : net.far(type, 0x88b5);
      });
      for (const each of calls) await one(users[each.who]!, each);
      for (const user of users) user.close();
      net.a.up('eth0');
      await net.settle();
      expect([net.nearEth.allFramesUsers, net.nearEth.groups.length]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
  expect(await net.end()).toEqual([]);

  async function one(user: PacketUser, { what, type, ifindex, bytes }: { what: string; type: number; ifindex: number; bytes: Uint8Array }) {
    const request = Uint8Array.of(ifindex, 0, 0, 0, type & 3, 0, (type & 2) === 0 ? 6 : 0, 0, 1, 2, 3, 4, 5, 6, 0, 0);
    if (what === 'bind') user.calls.bind(user.sock, linkAddress(ifindex, type));
    else if (what === 'send') user.send(bytes);
    else if (what === 'cooked') user.send(bytes, linkAddress(ifindex, type, [2, 3, 4, 5, 6, 7]));
    else if (what === 'receive') user.all();
    else if (what === 'peek') user.receive(MESSAGE_FLAG.PEEK);
    else if (what === 'join') user.set(PACKET_OPTION.ADD_MEMBERSHIP, request);
    else if (what === 'leave') user.set(PACKET_OPTION.DROP_MEMBERSHIP, request);
    else if (what === 'down') net.a.down('eth0');
    else if (what === 'up') net.a.up('eth0');
    else if (what === 'settle') await net.settle();
    else if (what === 'close') user.close();
    else takeAndResend(user);
  }
});

/** The packet itself, sent on by the loopback. */
function takeAndResend(user: PacketUser): void {
  const { calls, sock, message } = user;
  message.flags = MESSAGE_FLAG.SKB;
  if (calls.receive(sock, message) < 0) return;
  expect(message.skb!.type).not.toBe(SKB_TYPE.OUTGOING);
  message.hasAddress = true;
  message.address = linkAddress(1, 0x88b5);
  calls.send(sock, message);
  message.skb?.memory.pool.release(message.skb);
  message.skb = null;
}
