import {
  ADDRESS_FAMILY,
  ControlMessage,
  Devices,
  DeviceTraffic,
  ERRNO,
  ETHERTYPE,
  MESSAGE_FLAG,
  Message,
  PACKET_OPTION,
  POLL,
  readEnd,
  SO,
  SOCK_TYPE,
  SOL,
  SockAddress,
} from '@softnet/contract';
import { Cable } from '@softnet/nic-driver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { macOf, packetHosts } from './packet-hosts.ts';
import type { PacketUser } from './packet-user.ts';
import { frame, linkAddress } from './packet-user.ts';

const { RAW, DGRAM } = SOCK_TYPE;
const MINE = 0x88b5;
const NO_DEVICE = 99;

let net: Awaited<ReturnType<typeof packetHosts>>;
beforeAll(async () => {
  net = await packetHosts();
  await net.world.run(net.a.addDevice('wire', 'eth1', { cable: new Cable({ name: 'another' }) }));
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

const bytes = (lenBytes: number) => new Uint8Array(lenBytes);
const eth = () => net.nearEth.ifindex;
const down = () => net.a.device('eth1').ifindex;
const mac = () => macOf(net.farEth);
const family = (number: number) => Object.assign(new SockAddress(), { family: number });
/** A frame of 64 bytes, by eth0. */
const sent = (u: PacketUser, flags = 0, control: ControlMessage | null = null) =>
  u.send(frame(mac(), mac(), MINE, Array(50).fill(0)), linkAddress(eth(), MINE), flags, control);
const control = (type: number, lenBytes: number, level: number = SOL.SOCKET) => new ControlMessage(level, type, bytes(lenBytes));
/** A link address that says that it is so long. */
const longAs = (lenBytes: number) => Object.assign(linkAddress(eth(), MINE, mac()), { address0: lenBytes });
const request = (ifindex: number, sort: number, lenBytes: number) =>
  Uint8Array.of(ifindex, 0, 0, 0, sort, 0, lenBytes, 0, 1, 2, 3, 4, 5, 6, 7, 8);
const { ADD_MEMBERSHIP, DROP_MEMBERSHIP, IGNORE_OUTGOING, AUXDATA, STATISTICS, FANOUT } = PACKET_OPTION;

type Call = (user: PacketUser) => unknown;
const rows: readonly (readonly [string, number, Call, string | number])[] = [
  ['bind to another family', RAW, (u) => u.calls.bind(u.sock, family(ADDRESS_FAMILY.INET)), 'EINVAL'],
  ['bind to no device', RAW, (u) => u.calls.bind(u.sock, linkAddress(NO_DEVICE, MINE)), 'ENODEV'],
  ['bind to a negative one', RAW, (u) => u.calls.bind(u.sock, linkAddress(-1, MINE)), 'ENODEV'],
  ['bind to a device that is down', RAW, (u) => u.calls.bind(u.sock, linkAddress(down(), MINE)), 0],
  ['connect', RAW, (u) => u.calls.connect(u.sock, linkAddress(eth(), MINE)), 'EOPNOTSUPP'],
  ['listen', RAW, (u) => u.calls.listen(u.sock, 1), 'EOPNOTSUPP'],
  ['shutdown', RAW, (u) => u.calls.shutdown(u.sock, 3), 'EOPNOTSUPP'],
  ['bind again to it', RAW, (u) => [u.bind(net.a.device('eth1')), u.receive(), u.bind(net.a.device('eth1')), u.receive()], 'EAGAIN'],
  ['receive, bound to one that is down', RAW, (u) => [u.bind(net.a.device('eth1')), u.receive()], 'ENETDOWN'],
  ['receive, when there is nothing', RAW, (u) => u.receive(), 'EAGAIN'],
  ['receive with MSG_WAITALL', RAW, (u) => u.receive(MESSAGE_FLAG.WAITALL), 'EINVAL'],
  ['receive with MSG_OOB', RAW, (u) => u.receive(MESSAGE_FLAG.OOB), 'EINVAL'],
  ['receive with MSG_NOSIGNAL', RAW, (u) => u.receive(MESSAGE_FLAG.NOSIGNAL), 'EINVAL'],
  ['receive with MSG_DONTROUTE', RAW, (u) => u.receive(MESSAGE_FLAG.DONTROUTE), 'EINVAL'],
  ['receive with MSG_TRUNC', RAW, (u) => u.receive(MESSAGE_FLAG.TRUNC), 'EAGAIN'],
  ['receive with MSG_ERRQUEUE', RAW, (u) => u.receive(MESSAGE_FLAG.ERRQUEUE), 'EAGAIN'],
  ['send to nobody, bound to nothing', RAW, (u) => u.send(bytes(60)), 'ENXIO'],
  ['send by the interface 0, bound to another', RAW, (u) => [u.bind(net.nearEth), u.send(bytes(60), linkAddress(0, MINE))], 'ENXIO'],
  ['send with MSG_OOB', RAW, (u) => sent(u, MESSAGE_FLAG.OOB), 64],
  ['send with MSG_MORE', RAW, (u) => sent(u, MESSAGE_FLAG.MORE), 64],
  ['send with SO_MARK', RAW, (u) => sent(u, 0, control(SO.MARK, 4)), 64],
  ['send with SO_PRIORITY', RAW, (u) => sent(u, 0, control(SO.PRIORITY, 4)), 64],
  ['send with SO_TIMESTAMPING', RAW, (u) => sent(u, 0, control(SO.TIMESTAMPING, 4)), 64],
  ['send with half of SO_MARK', RAW, (u) => sent(u, 0, control(SO.MARK, 2)), 'EINVAL'],
  ['send with what nobody knows', RAW, (u) => sent(u, 0, control(99, 4)), 'EINVAL'],
  ['send with what IP may know', RAW, (u) => sent(u, 0, control(99, 4, SOL.IP)), 64],
  ['send with what UDP may know', RAW, (u) => sent(u, 0, control(99, 4, SOL.UDP)), 64],
  ['send with what nobody knows, and too much', RAW, (u) => u.send(bytes(1700), linkAddress(eth(), MINE), 0, control(99, 4)), 'EINVAL'],
  [
    'send less than a header, after an error',
    RAW,
    (u) => [u.bind(net.a.device('eth1')), u.send(bytes(13), linkAddress(eth(), MINE))],
    'ENETDOWN',
  ],
  ['send too much, after an error', RAW, (u) => [u.bind(net.a.device('eth1')), u.send(bytes(1600), linkAddress(eth(), MINE))], 'EMSGSIZE'],
  ['send to nobody, after an error', DGRAM, (u) => [u.bind(net.a.device('eth1')), u.bind(net.nearEth), u.send(bytes(60))], 'ENETDOWN'],
  ['send to an address of nine bytes', DGRAM, (u) => u.send(bytes(60), longAs(9)), 'EINVAL'],
  ['send to an address of two bytes', DGRAM, (u) => u.send(bytes(60), longAs(2)), 60],
  ['send to an address of no byte', DGRAM, (u) => u.send(bytes(60), longAs(0)), 60],
  ['send by no device', RAW, (u) => u.send(bytes(60), linkAddress(NO_DEVICE, MINE)), 'ENXIO'],
  ['send by a device that is down', RAW, (u) => u.send(bytes(60), linkAddress(down(), MINE)), 'ENETDOWN'],
  ['send to another family', RAW, (u) => u.send(bytes(60), family(ADDRESS_FAMILY.INET)), 'EINVAL'],
  ['send less than a header', RAW, (u) => u.send(bytes(13), linkAddress(eth(), MINE)), 'EINVAL'],
  ['send a header', RAW, (u) => u.send(frame(mac(), mac(), MINE, []), linkAddress(eth(), MINE)), 14],
  ['send what the MTU allows', RAW, (u) => u.send(frame(mac(), mac(), MINE, Array(1500).fill(0)), linkAddress(eth(), 0)), 1514],
  ['send more', RAW, (u) => u.send(frame(mac(), mac(), MINE, Array(1501).fill(0)), linkAddress(eth(), 0)), 'EMSGSIZE'],
  ['send more, for a tag', RAW, (u) => u.send(frame(mac(), mac(), ETHERTYPE.VLAN, Array(1504).fill(0)), linkAddress(eth(), 0)), 1518],
  [
    'send more than a tag is',
    RAW,
    (u) => u.send(frame(mac(), mac(), ETHERTYPE.VLAN, Array(1505).fill(0)), linkAddress(eth(), 0)),
    'EMSGSIZE',
  ],
  [
    'send more, for an outer tag',
    RAW,
    (u) => u.send(frame(mac(), mac(), ETHERTYPE.QINQ, Array(1504).fill(0)), linkAddress(eth(), 0)),
    'EMSGSIZE',
  ],
  [
    'send more, for a tag that is only named',
    RAW,
    (u) => u.send(frame(mac(), mac(), MINE, Array(1504).fill(0)), linkAddress(eth(), ETHERTYPE.VLAN)),
    'EMSGSIZE',
  ],
  ['send more, for a tag', DGRAM, (u) => u.send(bytes(1504), linkAddress(eth(), ETHERTYPE.VLAN, mac())), 1504],
  ['send more than a tag is', DGRAM, (u) => u.send(bytes(1505), linkAddress(eth(), ETHERTYPE.VLAN, mac())), 'EMSGSIZE'],
  ['send what the MTU allows', DGRAM, (u) => u.send(bytes(1500), linkAddress(eth(), MINE, mac())), 1500],
  ['send more', DGRAM, (u) => u.send(bytes(1501), linkAddress(eth(), MINE, mac())), 'EMSGSIZE'],
  ['send nothing', DGRAM, (u) => u.send(bytes(0), linkAddress(eth(), MINE, mac())), 0],
  ['send to nobody, bound to Ethernet', DGRAM, (u) => [u.bind(net.nearEth), u.send(bytes(60))], 'EINVAL'],
  ['send to nobody, bound to the loopback', DGRAM, (u) => [u.bind(net.a.device('lo')), u.send(bytes(60))], 60],
  ['add a membership of no device', RAW, (u) => u.set(ADD_MEMBERSHIP, request(NO_DEVICE, 1, 0)), 'ENODEV'],
  ['add one that is too short', RAW, (u) => u.set(ADD_MEMBERSHIP, bytes(15)), 'EINVAL'],
  ['add a longer address than the device has', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 0, 8)), 'EINVAL'],
  ['add a group of half an address', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 0, 3)), 'EINVAL'],
  ['add all frames, with eight bytes of an address', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 1, 8)), 'EINVAL'],
  ['add all frames, with three', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 1, 3)), 0],
  ['add half an address', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 3, 3)), 'EINVAL'],
  ['add an address', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 3, 6)), 0],
  ['add one that is longer than its place', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 0, 9)), 'EINVAL'],
  ['add what nobody knows', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 9, 0)), 0],
  ['drop what was not added', RAW, (u) => u.set(DROP_MEMBERSHIP, request(eth(), 1, 0)), 0],
  ['drop what no device has', RAW, (u) => u.set(DROP_MEMBERSHIP, request(NO_DEVICE, 1, 0)), 0],
  ['drop one that is too short', RAW, (u) => u.set(DROP_MEMBERSHIP, bytes(15)), 'EINVAL'],
  ['SO_PEEK_OFF', RAW, (u) => u.set(SO.PEEK_OFF, 0, SOL.SOCKET), 'EOPNOTSUPP'],
  ['read SO_PEEK_OFF', RAW, (u) => u.get(SO.PEEK_OFF, SOL.SOCKET), 'EOPNOTSUPP'],
  ['SO_REUSEPORT', RAW, (u) => u.set(SO.REUSEPORT, 1, SOL.SOCKET), 'EOPNOTSUPP'],
  ['read ADD_MEMBERSHIP', RAW, (u) => u.get(ADD_MEMBERSHIP), 'ENOPROTOOPT'],
  ['an option of raw sockets', RAW, (u) => u.set(1, 1, SOL.RAW), 'ENOPROTOOPT'],
  ['PACKET_IGNORE_OUTGOING of 2', RAW, (u) => u.set(IGNORE_OUTGOING, 2), 'EINVAL'],
  ['PACKET_IGNORE_OUTGOING, too short', RAW, (u) => u.set(IGNORE_OUTGOING, bytes(3)), 'EINVAL'],
  ['PACKET_AUXDATA, too short', RAW, (u) => u.set(AUXDATA, bytes(1)), 'EINVAL'],
  ['PACKET_FANOUT', RAW, (u) => u.set(FANOUT, 1), 'ENOPROTOOPT'],
  ['set PACKET_STATISTICS', RAW, (u) => u.set(STATISTICS, 1), 'ENOPROTOOPT'],
  ['an option of IP', RAW, (u) => u.set(1, 1, SOL.IP), 'ENOPROTOOPT'],
  ['SO_SNDBUF', RAW, (u) => u.set(SO.SNDBUF, 4096, SOL.SOCKET), 0],
  ['read an option of IP', RAW, (u) => u.get(1, SOL.IP), 'ENOPROTOOPT'],
  ['read PACKET_FANOUT', RAW, (u) => u.get(FANOUT), 'ENOPROTOOPT'],
];

// Each was asked of Linux 6.18 too (veth pairs, one of them down).
describe('as Linux answers', () => {
  test.each(rows)('%s', (_name, type, call, expected) => {
    const user = net.near(type, MINE);
    const said = call(user);
    const last = Array.isArray(said) ? said.at(-1) : said;
    expect(last).toBe(typeof expected === 'number' ? expected : -ERRNO[expected as keyof typeof ERRNO]);
    user.close();
  });
});

test('what a socket has room for is bounded: memberships', () => {
  const user = net.near();
  const before = net.nearEth.groups.length;
  const group = (i: number) => Uint8Array.of(eth(), 0, 0, 0, 0, 0, 6, 0, 1, 0, 0x5e, 1, i >>> 8, i & 0xff, 0, 0);
  const answers = Array.from({ length: 1030 }, (_, i) => user.set(ADD_MEMBERSHIP, group(i)));
  expect([answers.indexOf(-ERRNO.ENOBUFS), user.set(ADD_MEMBERSHIP, group(0))]).toEqual([1024, 0]);
  user.close();
  expect(net.nearEth.groups.length).toBe(before);
});

test('closed: EBADF everywhere, and closing again is nothing', () => {
  const user = net.near();
  user.close();
  user.close();
  const { calls, sock } = user;
  const message = new Message();
  const said = [
    calls.bind(sock, linkAddress(0, 0)),
    calls.send(sock, message),
    calls.receive(sock, message),
    calls.setOption(sock, SOL.PACKET, AUXDATA, bytes(4)),
    calls.getOption(sock, SOL.PACKET, AUXDATA, bytes(4)),
  ];
  expect([said, calls.poll(sock)]).toEqual([Array(5).fill(-ERRNO.EBADF), POLL.HUP]);
});

test('getsockname says interface, ethertype, and the link address of the interface', () => {
  const user = net.near(RAW, 0);
  user.bind(net.nearEth, MINE);
  const end = new SockAddress();
  expect(readEnd(user.sock, false, end)).toBe(0);
  const expected = linkAddress(eth(), MINE, macOf(net.nearEth));
  expected.address0 |= net.nearEth.type << 16;
  expect(end).toEqual(expected);
  expect(readEnd(user.sock, true, end)).toBe(-ERRNO.EOPNOTSUPP);
  user.close();
});

test('a device goes down, up, and away: ENETDOWN once, and it is heard again while it is there', async () => {
  const user = net.far(RAW, MINE);
  const sender = net.near(RAW, MINE);
  // Nothing ends for who hears nothing.
  const deaf = net.far(RAW, 0);
  deaf.bind(net.farEth);
  sender.bind(net.nearEth);
  user.bind(net.farEth);
  const sent = frame(mac(), mac(), MINE, [1]);
  net.b.down('eth0');
  await net.settle();
  expect([user.woken, user.calls.poll(user.sock) & POLL.ERR, user.receive(), user.receive()]).toEqual([
    1,
    POLL.ERR,
    -ERRNO.ENETDOWN,
    -ERRNO.EAGAIN,
  ]);
  expect([deaf.woken, deaf.receive()]).toEqual([0, -ERRNO.EAGAIN]);
  deaf.close();
  net.b.up('eth0');
  await net.settle();
  sender.send(sent);
  await net.settle();
  expect(user.all()).toHaveLength(1);
  const made = await net.world.run(net.b.addDevice('wire', 'eth9', { cable: new Cable({ name: 'third' }) }));
  net.b.up('eth9');
  user.bind(made);
  const { ifindex } = made;
  expect(user.set(ADD_MEMBERSHIP, request(ifindex, 1, 0))).toBe(0);
  net.b.kernel.port(Devices).current.remove(made);
  await net.settle();
  expect([user.receive(), user.sock.ifindex, user.send(sent)]).toEqual([-ERRNO.ENETDOWN, -1, -ERRNO.ENXIO]);
  expect(user.set(DROP_MEMBERSHIP, request(ifindex, 1, 0))).toBe(0);
  user.close();
  sender.close();
});

test('SO_SNDBUF bounds what is on its way: EAGAIN, and POLLOUT when there is room', async () => {
  const user = net.near(RAW, MINE);
  user.bind(net.nearEth);
  user.set(SO.SNDBUF, 2048, SOL.SOCKET);
  const sent = frame(mac(), mac(), MINE, Array(1000).fill(1));
  // Its driver is full.
  const queue = net.nearEth.txQueues[0]!;
  queue.stopped = true;
  let count = 0;
  while (user.send(sent) === sent.length && count < 100) count++;
  expect([count < 100, user.send(sent), user.calls.poll(user.sock) & POLL.OUT]).toEqual([true, -ERRNO.EAGAIN, 0]);
  net.a.kernel.port(DeviceTraffic).current.wake(queue);
  await net.settle();
  expect([user.woken, user.calls.poll(user.sock) & POLL.OUT, user.calls.queuedBytes(user.sock, true)]).toEqual([1, POLL.OUT, 0]);
  user.close();
});

test('by force: sockets are closed and their users told, packets that wait in them are freed', async () => {
  const own = await packetHosts();
  const [user, other] = [own.near(RAW, MINE), own.near(DGRAM)];
  user.bind(own.nearEth);
  user.send(frame(mac(), mac(), MINE, [1]));
  await own.settle();
  expect(other.calls.poll(other.sock) & POLL.IN).toBe(POLL.IN);
  const { broken, leaks } = await own.world.run(own.a.kernel.unload('packet', { force: true }));
  expect([broken.length, leaks, user.woken, other.woken, user.notices.at(-1)]).toEqual([2, [], 1, 2, 'closed']);
  expect([user.send(bytes(60)), other.receive(), other.calls.poll(other.sock)]).toEqual([-ERRNO.EBADF, -ERRNO.EBADF, POLL.ERR | POLL.HUP]);
  expect([own.a.kernel.holders(), await own.end()]).toEqual([[], []]);
});

test('closed while packets are on their way: these are sent, and until then the module is held up', async () => {
  const [user, looker] = [net.near(RAW, MINE), net.far(RAW, MINE)];
  user.bind(net.nearEth);
  const queue = net.nearEth.txQueues[0]!;
  queue.stopped = true;
  const sent = frame(mac(), mac(), MINE, [1, 2]);
  for (let i = 0; i < 3; i++) user.send(sent);
  user.close();
  const { kernel } = net.a;
  const held = kernel.holders('packet').map(({ kind }) => kind);
  kernel.port(DeviceTraffic).current.wake(queue);
  await net.settle();
  expect([held, looker.all().length, kernel.holders('packet')]).toEqual([['packet socket with packets to be sent'], 3, []]);
  looker.close();
});
