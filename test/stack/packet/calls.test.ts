import {
  ADDRESS_FAMILY,
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
  ['receive, when there is nothing', RAW, (u) => u.receive(), 'EAGAIN'],
  ['receive with MSG_WAITALL', RAW, (u) => u.receive(MESSAGE_FLAG.WAITALL), 'EINVAL'],
  ['receive with MSG_ERRQUEUE', RAW, (u) => u.receive(MESSAGE_FLAG.ERRQUEUE), 'EAGAIN'],
  ['send to nobody, bound to nothing', RAW, (u) => u.send(bytes(60)), 'ENXIO'],
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
  ['send what the MTU allows', DGRAM, (u) => u.send(bytes(1500), linkAddress(eth(), MINE, mac())), 1500],
  ['send more', DGRAM, (u) => u.send(bytes(1501), linkAddress(eth(), MINE, mac())), 'EMSGSIZE'],
  ['send nothing', DGRAM, (u) => u.send(bytes(0), linkAddress(eth(), MINE, mac())), 0],
  ['send to nobody, bound to Ethernet', DGRAM, (u) => [u.bind(net.nearEth), u.send(bytes(60))], 'EINVAL'],
  ['send to nobody, bound to the loopback', DGRAM, (u) => [u.bind(net.a.device('lo')), u.send(bytes(60))], 60],
  ['add a membership of no device', RAW, (u) => u.set(ADD_MEMBERSHIP, request(NO_DEVICE, 1, 0)), 'ENODEV'],
  ['add one that is too short', RAW, (u) => u.set(ADD_MEMBERSHIP, bytes(15)), 'EINVAL'],
  ['add a longer address than the device has', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 0, 8)), 'EINVAL'],
  ['add a group of half an address', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 0, 3)), 'EINVAL'],
  ['add what nobody knows', RAW, (u) => u.set(ADD_MEMBERSHIP, request(eth(), 9, 0)), 'EINVAL'],
  ['drop what was not added', RAW, (u) => u.set(DROP_MEMBERSHIP, request(eth(), 1, 0)), 'EADDRNOTAVAIL'],
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

describe('as Linux answers', () => {
  test.each(rows)('%s', (_name, type, call, expected) => {
    const user = net.near(type, MINE);
    const said = call(user);
    const last = Array.isArray(said) ? said.at(-1) : said;
    expect(last).toBe(typeof expected === 'number' ? expected : -ERRNO[expected as keyof typeof ERRNO]);
    user.close();
  });
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
  expect(readEnd(user.sock, true, end)).toBe(-ERRNO.ENOTCONN);
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
  expect(user.set(DROP_MEMBERSHIP, request(ifindex, 1, 0))).toBe(-ERRNO.EADDRNOTAVAIL);
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
