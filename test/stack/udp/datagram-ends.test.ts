import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, Route, readEnd, SOCK_FLAG, SockAddress } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { sendWith } from './control.ts';
import type { User } from './host.ts';
import { address, CLEAN, nobody, textOf, udpHost } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const hello = new TextEncoder().encode('hello');
const SOL_SOCKET = 1;

describe('ends', () => {
  test('bind: which addresses, which ports, once', async () => {
    const host = await udpHost();
    const [a, b, six] = [host.user(), host.user(), host.user(INET6)];
    expect(a.bind('99.0.0.1:7')).toBe(-ERRNO.EADDRNOTAVAIL);
    expect(a.calls.bind(a.sock, address('[::1]:7'))).toBe(-ERRNO.EAFNOSUPPORT);
    expect(a.bind(':7')).toBe(0);
    expect(a.bind(':8')).toBe(-ERRNO.EINVAL);
    expect([b.bind('10.0.0.1:7'), six.bind(':7')]).toEqual([-ERRNO.EADDRINUSE, -ERRNO.EADDRINUSE]);
    six.sock.flags |= SOCK_FLAG.V6ONLY;
    expect([six.bind('[::ffff:10.0.0.1]:9'), six.bind(':7')]).toEqual([-ERRNO.ENETUNREACH, 0]);
    expect(b.bind('224.0.0.5:9'), 'a group').toBe(0);
    const link = host.user(INET6);
    expect(link.bind('[fe80::1]:9'), 'of which link?').toBe(-ERRNO.EINVAL);
    expect([link.bind('[fe80::1%1]:9'), link.sock.ifindex]).toEqual([0, 1]);
    a.close();
    const again = host.user();
    expect(again.bind('10.0.0.1:7'), 'the port came back').toBe(0);
    for (const user of [b, six, link, again]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('connect names the own end; a datagram of a stranger is not for it; AF_UNSPEC disconnects', async () => {
    const host = await udpHost();
    const [a, b, stranger] = [host.user(), host.user(), host.user()];
    b.bind('10.0.0.2:9');
    stranger.bind('10.0.0.3:5');
    expect(a.connect('10.0.0.2:9')).toBe(0);
    const { sock } = a;
    expect(sock.localPort).toBeGreaterThanOrEqual(32768);
    const mine = `10.0.0.1:${sock.localPort}`;
    const end = new SockAddress();
    expect([readEnd(sock, false, end), textOf(end), readEnd(sock, true, end), textOf(end)]).toEqual([0, mine, 0, '10.0.0.2:9']);
    expect(readEnd(b.sock, true, end)).toBe(-ERRNO.ENOTCONN);
    expect([b.send(hello, mine), stranger.send(hello, mine)]).toEqual([5, 5]);
    await host.settle();
    expect(a.receive()).toMatchObject({ from: '10.0.0.2:9' });
    expect(a.receive()).toBe(-ERRNO.EAGAIN);
    expect(host.drops()).toMatchObject({ 'udp.no-port': 1 });
    expect(a.calls.connect(sock, nobody)).toBe(0);
    expect([sock.localPort, sock.local3, sock.remote3, sock.remotePort]).toEqual([0, 0, 0, 0]);
    expect(host.kernel.holders('ipv4').length, 'only who is bound holds the layer').toBe(2);
    expect(a.send(hello)).toBe(-ERRNO.EDESTADDRREQ);
    expect(host.kernel.holders('ipv4').length, 'a refused write has bound it').toBe(3);

    // A port that was asked for stays, and so does an address.
    const c = host.user();
    c.bind('10.0.0.4:44');
    expect([c.connect('10.0.0.2:9'), c.sock.local3]).toEqual([0, 0x0a000004]);
    expect([c.connect('10.0.0.3:5'), c.sock.remote3, c.sock.localPort]).toEqual([0, 0x0a000003, 44]);
    expect(c.connect('99.0.0.1:1')).toBe(-ERRNO.ENETUNREACH);
    expect([c.sock.remote3, c.sock.remotePort], 'as it was').toEqual([0x0a000003, 5]);
    c.calls.connect(c.sock, nobody);
    expect([c.sock.localPort, c.sock.local3]).toEqual([44, 0x0a000004]);
    expect(stranger.send(hello, '10.0.0.4:44')).toBe(5);
    await host.settle();
    expect(c.receive()).toMatchObject({ from: '10.0.0.3:5' });
    for (const user of [a, b, c, stranger]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a write that is refused has given it a port, as in Linux', async () => {
    const host = await udpHost();
    const writes: ((user: User) => number)[] = [
      (user) => user.send(hello),
      (user) => user.send(hello, '10.0.0.2:0'),
      (user) => user.send(new Uint8Array(70_000), '10.0.0.2:9'),
      (user) => user.send(hello, '99.0.0.1:9'),
      (user) => sendWith(user, [1], [], '10.0.0.2:9', MESSAGE_FLAG.OOB),
    ];
    const said = writes.map((write) => {
      const user = host.user();
      const answer = [-write(user), user.sock.localPort > 0, user.bind('10.0.0.1:0')];
      user.close();
      return answer;
    });
    const { EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH, EOPNOTSUPP } = ERRNO;
    expect(said).toEqual([EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH, EOPNOTSUPP].map((errno) => [errno, true, -EINVAL]));
    expect(await host.end()).toEqual(CLEAN);
  });

  test('the unspecified address is this host; a link-local one needs its link', async () => {
    const host = await udpHost();
    const [four, six] = [host.user(), host.user(INET6)];
    expect([four.connect('0.0.0.0:9'), four.sock.remote3]).toEqual([0, 0x7f000001]);
    expect([six.connect('[::]:9'), six.sock.remote0, six.sock.remote3]).toEqual([0, 0, 1]);
    expect(six.connect('[fe80::1]:9')).toBe(-ERRNO.EINVAL);
    expect([six.connect('[fe80::1%1]:9'), six.sock.ifindex]).toEqual([0, 1]);
    expect([six.connect('[2001:db8::2]:9'), six.sock.ifindex], 'the scope went with the peer').toEqual([0, 0]);
    expect([six.connect('[fe80::1%1]:9'), six.sock.ifindex]).toEqual([0, 1]);
    six.calls.connect(six.sock, nobody);
    expect(six.sock.ifindex).toBe(0);
    four.close();
    six.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a dual-stack socket speaks IPv4 too, by IPv4; a V6ONLY one does not', async () => {
    const host = await udpHost();
    const [dual, four, six] = [host.user(INET6), host.user(), host.user(INET6)];
    dual.bind(':7');
    expect(four.send(hello, '10.0.0.1:7')).toBe(5);
    expect(six.send(hello, '[2001:db8::1]:7')).toBe(5);
    await host.settle();
    const from = `[::ffff:10.0.0.1]:${four.sock.localPort}`;
    expect(dual.receive()).toMatchObject({ from });
    expect(dual.receive()).toMatchObject({ from: `[2001:db8::1]:${six.sock.localPort}` });
    expect(dual.send(hello, from)).toBe(5);
    await host.settle();
    expect(four.receive()).toMatchObject({ from: '10.0.0.1:7' });
    expect([dual.connect(from), dual.sock.layer?.family]).toEqual([0, INET]);
    expect(dual.send(hello)).toBe(5);
    await host.settle();
    expect(four.receive()).toMatchObject({ bytes: [...hello] });
    six.sock.flags |= SOCK_FLAG.V6ONLY;
    expect(six.send(hello, '[::ffff:10.0.0.1]:7')).toBe(-ERRNO.ENETUNREACH);
    const bound = host.user(INET6);
    bound.bind('[2001:db8::3]:5');
    expect([bound.send(hello, from), bound.connect(from)], 'no IPv4 flow has this source').toEqual([-ERRNO.EINVAL, -ERRNO.EINVAL]);
    for (const user of [dual, four, six, bound]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('broadcast only with SO_BROADCAST, from whoever; multicast to all who have the port', async () => {
    const host = await udpHost();
    const [a, b, c] = [host.user(), host.user(), host.user()];
    for (const user of [b, c]) {
      user.option(SOL_SOCKET, 2, 1);
      expect(user.bind(':7')).toBe(0);
    }
    expect(a.send(hello, '255.255.255.255:7')).toBe(-ERRNO.EACCES);
    expect(a.connect('10.255.255.255:7')).toBe(-ERRNO.EACCES);
    expect(a.option(SOL_SOCKET, 6, 1)).toBe(0);
    expect([a.send(hello, '255.255.255.255:7'), a.send(hello, '224.0.0.9:7')]).toEqual([5, 5]);
    await host.settle();
    for (const user of [b, c]) for (const _ of [1, 2]) expect(user.receive()).toMatchObject({ bytes: [...hello] });
    expect(a.send(hello, '10.0.0.1:7')).toBe(5);
    await host.settle();
    expect([b.receive(), c.receive()]).toMatchObject([-ERRNO.EAGAIN, { bytes: [...hello] }]);
    for (const user of [a, b, c]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('holds its layer once, while it is bound or connected, and for nothing that failed', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    const held = () => host.kernel.holders('ipv4').map(({ place }) => place);
    b.bind('10.0.0.2:9');
    expect([a.bind('10.0.0.2:9'), a.connect('99.0.0.1:1'), a.connect('10.255.255.255:7'), held()]).toEqual([
      -ERRNO.EADDRINUSE,
      -ERRNO.ENETUNREACH,
      -ERRNO.EACCES,
      ['udp.bind'],
    ]);
    expect([a.bind('10.0.0.1:7'), a.connect('10.0.0.2:9'), a.connect('10.0.0.3:9'), a.connect('10.255.255.255:7')]).toEqual([
      0,
      0,
      0,
      -ERRNO.EACCES,
    ]);
    expect(held()).toEqual(['udp.bind', 'udp.connect']);
    expect([a.calls.connect(a.sock, nobody), held(), a.sock.layer?.family]).toEqual([0, ['udp.bind', 'udp.bind'], INET]);
    a.close();
    b.close();
    expect(held()).toEqual([]);

    host.kernel.sysctl.set('net.ipv4.ip_local_port_range', [40000, 40000]);
    const [first, second, six] = [host.user(), host.user(), host.user(INET6)];
    expect([first.send(hello, '10.0.0.2:9'), first.sock.localPort]).toEqual([5, 40000]);
    expect([second.send(hello, '10.0.0.2:9'), second.connect('10.0.0.2:9')]).toEqual([-ERRNO.EADDRINUSE, -ERRNO.EADDRNOTAVAIL]);
    expect([six.connect('[fe80::1%1]:9'), six.bind('[fe80::1%1]:40000'), six.sock.ifindex]).toEqual([0, -ERRNO.EINVAL, 1]);
    six.calls.connect(six.sock, nobody);
    const wild = host.user(INET6);
    expect([wild.bind('[fe80::1%1]:40001'), six.bind('[fe80::1%1]:40001'), six.sock.ifindex]).toEqual([0, -ERRNO.EADDRINUSE, 0]);
    host.kernel.sysctl.set('net.ipv4.ip_local_port_range', [40001, 40001]);
    expect([six.connect('[fe80::1%1]:9'), six.sock.ifindex, six.sock.remote0, six.sock.local0]).toEqual([-ERRNO.EADDRNOTAVAIL, 0, 0, 0]);
    for (const user of [first, second, six, wild]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('of two connects at once the later is told so', async () => {
    const host = await udpHost();
    const a = host.user();
    const answers: number[] = [];
    const route = host.kernel.port(Route).current;
    const lookup = route.attach;
    route.attach = (...args) => {
      answers.push(a.connect('10.0.0.3:3'), a.bind(':4'));
      return lookup(...args);
    };
    expect(a.connect('10.0.0.2:9')).toBe(0);
    expect(answers).toEqual([-ERRNO.EALREADY, -ERRNO.EALREADY]);
    route.attach = lookup;
    expect([a.connect('10.0.0.3:3'), a.sock.remotePort], 'one after the other, the last wins').toEqual([0, 3]);
    a.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});
