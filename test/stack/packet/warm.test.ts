import { ControlMessage, ETHERTYPE, Message, PACKET_OPTION, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { parseFilter } from '@softnet/skb';
import { expect, test } from 'vitest';
import { macOf, packetHosts } from './packet-hosts.ts';
import { frame, int, linkAddress } from './packet-user.ts';

const LIMIT_BYTES = 16;
const BATCH = 50;
const MINE = 0x88b5;

test.each([
  ['whole frames', SOCK_TYPE.RAW, null, ''],
  ['with a header of ours', SOCK_TYPE.DGRAM, null, ''],
  // SKF_AD_HATYPE, NLATTR, PAY_OFFSET, RANDOM: all that a program may ask for, and then all of the frame.
  [
    'marked, past a program',
    SOCK_TYPE.RAW,
    SO.MARK,
    '32 0 0 4294963228\n32 0 0 4294963212\n32 0 0 4294963252\n32 0 0 4294963256\n6 0 0 65535',
  ],
])('a frame allocates nothing once warm, sent, shown to two who look on, and taken: %s', async (_name, type, mark, program) => {
  const net = await packetHosts();
  const [sender, near, far] = [net.near(type, MINE), net.near(), net.far(type)];
  sender.bind(net.nearEth);
  far.set(PACKET_OPTION.AUXDATA, 1);
  far.set(SO.TIMESTAMPNS, int(1), SOL.SOCKET);
  if (program !== '') for (const user of [near, far]) expect(user.set(SO.ATTACH_FILTER, parseFilter(program), SOL.SOCKET)).toBe(0);
  const out = new Message();
  if (mark !== null) out.control = new ControlMessage(SOL.SOCKET, mark, int(5));
  const payload = Array<number>(1000).fill(7);
  out.data = type === SOCK_TYPE.RAW ? frame(macOf(net.farEth), macOf(net.nearEth), MINE, payload) : Uint8Array.from(payload);
  out.hasAddress = type === SOCK_TYPE.DGRAM;
  out.address = linkAddress(net.nearEth.ifindex, MINE, macOf(net.farEth));
  const into = new Message();
  into.data = new Uint8Array(2000);
  let sending = 0;
  let receiving = 0;
  const round = (): void => {
    const start = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) if (sender.calls.send(sender.sock, out) < 0) throw new Error('not sent');
    const went = process.memoryUsage().heapUsed;
    // What a virtual World allocates is not ours.
    net.world.advanceSync(200);
    const came = process.memoryUsage().heapUsed;
    for (const { calls, sock } of [near, far]) {
      for (let i = 0; i < BATCH; i++) {
        into.flags = 0;
        if (calls.receive(sock, into) < 1000) throw new Error(`frame ${i} is lost`);
      }
    }
    sending = (went - start) / BATCH;
    receiving = (process.memoryUsage().heapUsed - came) / (2 * BATCH);
  };
  for (const part of [() => sending, () => receiving]) {
    const bytes = onceWarm(LIMIT_BYTES, () => {
      round();
      return part();
    });
    expect(bytes).toBeLessThan(LIMIT_BYTES);
  }
  for (const user of [sender, near, far]) user.close();
  expect(await net.end()).toEqual([]);
});

test('what is shown costs its way no garbage', async () => {
  const net = await packetHosts();
  const [sender, ...lookers] = [net.near(SOCK_TYPE.RAW, MINE), net.far(), net.far(SOCK_TYPE.DGRAM, ETHERTYPE.IPV4)];
  sender.bind(net.nearEth);
  const out = new Message();
  out.data = frame(macOf(net.farEth), macOf(net.nearEth), MINE, [1, 2, 3]);
  const [looker] = lookers;
  const into = new Message();
  into.data = new Uint8Array(100);
  // Two rounds of other lengths: what the World allocates is the same in both.
  const cost = (count: number): number => {
    const start = process.memoryUsage().heapUsed;
    for (let i = 0; i < count; i++) sender.calls.send(sender.sock, out);
    net.world.advanceSync(200);
    for (into.flags = 0; looker!.calls.receive(looker!.sock, into) > 0; into.flags = 0);
    return process.memoryUsage().heapUsed - start;
  };
  const bytes = onceWarm(LIMIT_BYTES, () => (cost(100) - cost(50)) / 50);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
  for (const user of [sender, ...lookers]) user.close();
  expect(await net.end()).toEqual([]);
});
