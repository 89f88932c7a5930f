import {
  CHECKSUM,
  ControlMessage,
  DeviceTraffic,
  ETHERTYPE,
  MESSAGE_FLAG,
  PACKET_OPTION,
  POLL,
  SKB_TYPE,
  SkbPool,
  SO,
  SOCK_TYPE,
  SOL,
} from '@softnet/contract';
import { parseFilter, put } from '@softnet/skb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { macOf, packetHosts } from './packet-hosts.ts';
import { frame, int, linkAddress } from './packet-user.ts';

const { RAW, DGRAM } = SOCK_TYPE;
const MINE = 0x88b5;
const BROADCAST = [255, 255, 255, 255, 255, 255];
const STRANGER = [2, 9, 9, 9, 9, 9];
const GROUP = [1, 0, 0x5e, 0, 0, 7];
const PAYLOAD = [1, 2, 3, 4, 5];

let net: Awaited<ReturnType<typeof packetHosts>>;
beforeAll(async () => {
  net = await packetHosts();
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

const near = () => macOf(net.nearEth);
const far = () => macOf(net.farEth);

test.each([
  ['this host', far, SKB_TYPE.HOST],
  ['all', () => BROADCAST, SKB_TYPE.BROADCAST],
  ['a group', () => GROUP, SKB_TYPE.MULTICAST],
  ['another host', () => STRANGER, SKB_TYPE.OTHERHOST],
])('a frame to %s is seen whole, and without its header', async (_name, to, packetType) => {
  const [sender, whole, cooked, named, other] = [
    net.near(RAW, MINE),
    net.far(RAW),
    net.far(DGRAM),
    net.far(RAW, MINE),
    net.far(RAW, MINE + 1),
  ];
  sender.bind(net.nearEth);
  const sent = frame(to(), near(), MINE, PAYLOAD);
  expect(sender.send(sent)).toBe(sent.length);
  await net.settle();
  const said = { ifindex: net.farEth.ifindex, ethertype: MINE, packetType, from: near(), truncated: false };
  expect([whole.all(), named.all()]).toEqual([[{ ...said, bytes: sent }], [{ ...said, bytes: sent }]]);
  expect([cooked.all(), other.all()]).toEqual([[{ ...said, bytes: Uint8Array.from(PAYLOAD) }], []]);
  expect([whole.woken, other.woken]).toEqual([1, 0]);
  for (const user of [sender, whole, cooked, named, other]) user.close();
});

test('a link header is built of what the address says', async () => {
  const [sender, looker] = [net.near(DGRAM, 0), net.far()];
  expect(sender.send(Uint8Array.from(PAYLOAD), linkAddress(net.nearEth.ifindex, MINE, far()))).toBe(PAYLOAD.length);
  await net.settle();
  expect(looker.all().map(({ bytes }) => bytes)).toEqual([frame(far(), near(), MINE, PAYLOAD)]);
  sender.close();
  looker.close();
});

test('what is sent is seen by who asks for all, but not by who sends it, nor by who asks for one ethertype or ignores it', async () => {
  const [sender, whole, cooked, named, ignoring] = [net.near(), net.near(), net.near(DGRAM), net.near(RAW, MINE), net.near()];
  sender.bind(net.nearEth);
  expect(ignoring.set(PACKET_OPTION.IGNORE_OUTGOING, 1)).toBe(0);
  const sent = frame(far(), near(), MINE, PAYLOAD);
  sender.send(sent);
  await net.settle();
  const said = { ifindex: net.nearEth.ifindex, ethertype: MINE, packetType: SKB_TYPE.OUTGOING, from: near(), truncated: false };
  expect(whole.all()).toEqual([{ ...said, bytes: sent }]);
  expect(cooked.all()).toEqual([{ ...said, bytes: Uint8Array.from(PAYLOAD) }]);
  expect([sender.all(), named.all(), ignoring.all()]).toEqual([[], [], []]);
  for (const user of [sender, whole, cooked, named, ignoring]) user.close();
});

test('who is bound to an interface sees only it; over the loopback a frame is seen going and coming', async () => {
  const lo = net.a.device('lo');
  const [sender, onLo, onEth] = [net.near(RAW, MINE), net.near(), net.near()];
  onLo.bind(lo);
  onEth.bind(net.nearEth);
  expect(sender.send(frame([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], MINE, PAYLOAD), linkAddress(lo.ifindex, MINE))).toBe(19);
  await net.settle();
  expect(onLo.all().map(({ packetType }) => packetType)).toEqual([SKB_TYPE.OUTGOING, SKB_TYPE.HOST]);
  expect(onEth.all()).toEqual([]);
  for (const user of [sender, onLo, onEth]) user.close();
});

test('a program lets frames in, and cuts them (SO_ATTACH_FILTER)', async () => {
  // tcpdump -s 16 -dd ether proto 0x88b5
  const bytes = parseFilter(
    '{ 0x28, 0, 0, 0x0000000c },\n{ 0x15, 0, 1, 0x000088b5 },\n{ 0x6, 0, 0, 0x00000010 },\n{ 0x6, 0, 0, 0x00000000 },',
  );
  const [sender, looker] = [net.near(RAW, MINE), net.far()];
  expect(looker.set(SO.ATTACH_FILTER, bytes, SOL.SOCKET)).toBe(0);
  expect(looker.set(PACKET_OPTION.AUXDATA, 1)).toBe(0);
  sender.bind(net.nearEth);
  sender.send(frame(far(), near(), MINE + 1, PAYLOAD));
  sender.send(frame(far(), near(), MINE, PAYLOAD));
  await net.settle();
  expect(looker.all().map((one) => one.bytes)).toEqual([frame(far(), near(), MINE, PAYLOAD).slice(0, 16)]);
  const told = new DataView(looker.message.control!.data.buffer);
  // It was 19 bytes long, 16 of which are here; its network header is at 14.
  expect([4, 8].map((at) => told.getUint32(at, true)).concat(told.getUint16(14, true))).toEqual([19, 16, 14]);
  // What a program does not let in is in no statistics.
  expect(looker.get(PACKET_OPTION.STATISTICS)).toEqual([...int(1), ...int(0)]);
  sender.close();
  looker.close();
});

test('a program knows by which device a frame goes, and what its message says of it', async () => {
  const [sender, looker] = [net.near(RAW, MINE), net.near()];
  sender.bind(net.nearEth);
  const sent = frame(far(), near(), MINE, PAYLOAD);
  const known = async (which: number): Promise<number[]> => {
    // As many bytes as it says.
    const program = parseFilter(`32 0 0 ${(0xfffff000 + which) >>> 0}\n22 0 0 0`);
    expect(looker.set(SO.ATTACH_FILTER, program, SOL.SOCKET)).toBe(0);
    sender.send(sent, null, 0, new ControlMessage(SOL.SOCKET, SO.MARK, int(9)));
    await net.settle();
    return looker.all().map(({ bytes }) => bytes.length);
  };
  // SKF_AD_PKTTYPE, IFINDEX, MARK, HATYPE, VLAN_TAG_PRESENT.
  expect([await known(4), await known(8), await known(20), await known(28), await known(48)]).toEqual([
    [4],
    [net.nearEth.ifindex],
    [9],
    [1],
    [],
  ]);
  sender.close();
  looker.close();
});

test('of a frame without a payload nobody is told without its header', async () => {
  const [sender, whole, cooked] = [net.near(RAW, MINE), net.far(RAW), net.far(DGRAM)];
  sender.bind(net.nearEth);
  sender.send(frame(far(), near(), MINE, []));
  await net.settle();
  expect([whole.all().length, cooked.all(), cooked.get(PACKET_OPTION.STATISTICS)]).toEqual([1, [], [...int(0), ...int(0)]]);
  for (const user of [sender, whole, cooked]) user.close();
});

test('that a checksum is right is told of what came, not of what goes', async () => {
  const looker = net.near();
  looker.set(PACKET_OPTION.AUXDATA, 1);
  const status = async (checksum: number): Promise<number> => {
    const skb = net.a.kernel.port(SkbPool).current.alloc(64, 100)!;
    skb.memory.bytes.set(frame(far(), near(), MINE, PAYLOAD), put(skb, 19));
    Object.assign(skb, { mac: skb.data, network: skb.data + 14, protocol: MINE, checksum });
    net.a.kernel.port(DeviceTraffic).current.transmit(net.nearEth, skb);
    await net.settle();
    expect(looker.all()).toHaveLength(1);
    return new DataView(looker.message.control!.data.buffer).getUint32(0, true);
  };
  expect([await status(CHECKSUM.NONE), await status(CHECKSUM.UNNECESSARY)]).toEqual([1, 1]);
  looker.close();
});

test('a tag is taken off, and told by PACKET_AUXDATA', async () => {
  const [sender, looker] = [net.near(RAW, MINE), net.far()];
  looker.set(PACKET_OPTION.AUXDATA, 1);
  sender.bind(net.nearEth);
  sender.send(frame(far(), near(), ETHERTYPE.VLAN, [0x20, 0x07, MINE >>> 8, MINE & 0xff, ...PAYLOAD]));
  await net.settle();
  const [seen] = looker.all();
  expect([seen!.bytes, seen!.ethertype]).toEqual([frame(far(), near(), MINE, PAYLOAD), MINE]);
  const told = new DataView(looker.message.control!.data.buffer);
  // TP_STATUS_USER, VLAN_VALID, VLAN_TPID_VALID; the tag, and its TPID.
  expect([told.getUint32(0, true) & 0x51, told.getUint16(16, true), told.getUint16(18, true)]).toEqual([0x51, 0x2007, 0x8100]);
  sender.close();
  looker.close();
});

test('SO_RCVBUF bounds what waits; the rest is counted', async () => {
  const [sender, looker] = [net.near(RAW, MINE), net.far()];
  looker.set(SO.RCVBUF, 4096, SOL.SOCKET);
  looker.set(SO.RXQ_OVFL, 1, SOL.SOCKET);
  sender.bind(net.nearEth);
  for (let i = 0; i < 20; i++) sender.send(frame(far(), near(), MINE, PAYLOAD));
  await net.settle();
  const [count, lost] = (looker.get(PACKET_OPTION.STATISTICS) as number[]).filter((_, i) => i % 4 === 0);
  const seen = looker.all().length;
  expect([count, lost! + seen, seen > 0 && lost! > 0]).toEqual([20, 20, true]);
  expect(looker.get(PACKET_OPTION.STATISTICS)).toEqual([...int(0), ...int(0)]);
  sender.close();
  looker.close();
});

test('flags: a peek leaves it, MSG_TRUNC says how long it was; FIONREAD, the packet itself, poll', async () => {
  const [sender, looker] = [net.near(RAW, MINE), net.far()];
  sender.bind(net.nearEth);
  sender.send(frame(far(), near(), MINE, PAYLOAD));
  await net.settle();
  const { calls, sock, message } = looker;
  expect([calls.queuedBytes(sock, false), calls.poll(sock)]).toEqual([19, POLL.IN | POLL.OUT]);
  message.data = new Uint8Array(10);
  message.flags = MESSAGE_FLAG.PEEK;
  expect([calls.receive(sock, message), message.flags]).toEqual([10, MESSAGE_FLAG.TRUNC]);
  message.flags = MESSAGE_FLAG.PEEK | MESSAGE_FLAG.TRUNC;
  expect([calls.receive(sock, message), message.flags]).toEqual([19, MESSAGE_FLAG.TRUNC]);
  message.flags = MESSAGE_FLAG.SKB;
  expect(calls.receive(sock, message)).toBe(19);
  message.skb!.memory.pool.release(message.skb!);
  message.skb = null;
  expect([calls.queuedBytes(sock, false), calls.poll(sock)]).toEqual([0, POLL.OUT]);
  sender.close();
  looker.close();
});

test('memberships: the device listens to all, as long as somebody wants it', () => {
  const promisc = Uint8Array.of(net.farEth.ifindex, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const group = Uint8Array.of(net.farEth.ifindex, 0, 0, 0, 0, 0, 6, 0, ...GROUP, 0, 0);
  const user = net.far();
  const counts = () => [net.farEth.allFramesUsers, net.farEth.groups.length];
  expect([user.set(PACKET_OPTION.ADD_MEMBERSHIP, promisc), user.set(PACKET_OPTION.ADD_MEMBERSHIP, group)]).toEqual([0, 0]);
  expect([user.set(PACKET_OPTION.ADD_MEMBERSHIP, promisc), counts()]).toEqual([0, [1, 1]]);
  expect([user.set(PACKET_OPTION.DROP_MEMBERSHIP, promisc), counts()]).toEqual([0, [1, 1]]);
  expect([user.set(PACKET_OPTION.DROP_MEMBERSHIP, promisc), counts()]).toEqual([0, [0, 1]]);
  user.close();
  expect(counts()).toEqual([0, 0]);
});
