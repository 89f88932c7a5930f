import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawHosts } from './raw-hosts.ts';
import { RawUser } from './raw-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const FAMILIES = [
  [
    'IPv4',
    {
      family: INET,
      protocol: 1,
      request: 8,
      reply: 0,
      here: '10.0.0.1',
      there: '10.0.0.2:0',
      other: '[fd00::2]:0',
      group: '224.0.0.5:0',
      header: 20,
    },
  ],
  [
    'IPv6',
    {
      family: INET6,
      protocol: 58,
      request: 128,
      reply: 129,
      here: '[fd00::1]',
      there: '[fd00::2]:0',
      other: '10.0.0.2:0',
      group: '[ff05::5]:0',
      header: 0,
    },
  ],
] as const;

let net: Awaited<ReturnType<typeof rawHosts>>;
beforeAll(async () => {
  net = await rawHosts();
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

/** icmp(7): a ping socket is a DGRAM one. */
describe.each(FAMILIES)('a ping socket of %s', (_name, { family, protocol, request, reply, here, there, other, group, header }) => {
  const open = () => new RawUser(net.a.kernel, family, protocol, 'ping', SOCK_TYPE.DGRAM);
  /** Type, code, a checksum and an identifier that are written over, a sequence number. */
  const echo = (type: number = request, code = 0) => [type, code, 0xee, 0xee, 0xaa, 0xaa, 0, 5, 1, 2, 3];

  test('has replies to its own identifier, which is its port, whatever its user wrote; who reads raw has them too', async () => {
    const [ping, stranger] = [open(), open()];
    const raw = net.near(protocol, family);
    expect([ping.bind(`${here}:4711`), stranger.bind(`${here}:4712`)]).toEqual([0, 0]);
    expect(ping.send(echo(), there)).toBe(11);
    await net.settle();
    const [seen] = ping.all();
    expect([seen![0], seen![1], seen!.slice(4)]).toEqual([reply, 0, [0x12, 0x67, 0, 5, 1, 2, 3]]);
    expect(stranger.all()).toEqual([]);
    expect(raw.all().filter((bytes) => bytes[header] === reply)).toHaveLength(1);
    for (const user of [ping, stranger, raw]) user.close();
  });

  test.each([
    ['send less than a header', (u: RawUser) => u.send([request, 0, 0, 0, 0, 0, 0], there), 'EINVAL'],
    ['send a reply', (u: RawUser) => u.send(echo(reply), there), 'EINVAL'],
    ['send a redirect', (u: RawUser) => u.send(echo(5), there), 'EINVAL'],
    ['send a code', (u: RawUser) => u.send(echo(request, 1), there), 'EINVAL'],
    ['send to nobody', (u: RawUser) => u.send(echo()), 'EDESTADDRREQ'],
    ['send more than there can be', (u: RawUser) => u.send(new Uint8Array(65_536), there), 'EMSGSIZE'],
    ['send to the other family', (u: RawUser) => u.send(echo(), other), 'EAFNOSUPPORT'],
    ['send nobody’s reply', (u: RawUser) => u.send(echo(reply)), 'EINVAL'],
    ['send with MSG_OOB', (u: RawUser) => u.send(echo(), there, MESSAGE_FLAG.OOB), 'EOPNOTSUPP'],
    ['bind to another host', (u: RawUser) => u.bind(there), 'EADDRNOTAVAIL'],
    ['bind to a group', (u: RawUser) => u.bind(group), 'EADDRNOTAVAIL'],
    ['bind again', (u: RawUser) => [u.bind(`${here}:98`), u.bind(`${here}:97`)].at(-1), 'EINVAL'],
    ['SO_PEEK_OFF', (u: RawUser) => u.set(SOL.SOCKET, SO.PEEK_OFF, 0), 'EOPNOTSUPP'],
    ['read SO_PEEK_OFF', (u: RawUser) => u.get(SOL.SOCKET, SO.PEEK_OFF), 'EOPNOTSUPP'],
    ['an option of raw sockets', (u: RawUser) => u.set(SOL.RAW, 1, 1), 'ENOPROTOOPT'],
    ['send, shut for sending', (u: RawUser) => [u.connect(there), u.calls.shutdown(u.sock, 2), u.send(echo())].at(-1), 'EPIPE'],
    ['receive, when there is nothing', (u: RawUser) => u.receive(), 'EAGAIN'],
    ['listen', (u: RawUser) => u.calls.listen(u.sock, 1), 'EOPNOTSUPP'],
  ] as const)('%s', (_call, call, errno) => {
    const ping = open();
    expect(call(ping)).toBe(-ERRNO[errno]);
    ping.close();
  });

  test('an identifier is one socket’s; who names none has one of its own', () => {
    const [one, two, three] = [open(), open(), open()];
    expect([one.bind(`${here}:99`), two.bind(`${here}:99`)]).toEqual([0, -ERRNO.EADDRINUSE]);
    three.send(echo(), there);
    expect(three.sock.localPort).not.toBe(0);
    for (const user of [one, two, three]) user.close();
  });
});

test('to all on a link: not without SO_BROADCAST, and not as an address of its own', () => {
  const ping = new RawUser(net.a.kernel, INET, 1, 'ping', SOCK_TYPE.DGRAM);
  expect([ping.bind('10.0.0.255:0'), ping.send([8, 0, 0, 0, 0, 0, 0, 1], '10.0.0.255:0')]).toEqual([-ERRNO.EADDRNOTAVAIL, -ERRNO.EACCES]);
  ping.close();
});

test('of the other family’s ICMP there is none', () => {
  for (const [family, protocol] of [
    [INET, 58],
    [INET6, 1],
  ] as const) {
    const open = () => new RawUser(net.a.kernel, family, protocol, 'ping', SOCK_TYPE.DGRAM);
    expect(open).toThrow(expect.objectContaining({ code: 'EPROTONOSUPPORT' }));
  }
});
