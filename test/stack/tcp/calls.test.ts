import { ADDRESS_FAMILY, MESSAGE_FLAG, Message, POLL, SkbPool, SO, SOCK_FLAG, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { copyIn, SkbReader } from '@softnet/skb';
import { pattern } from '@softnet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';
import { errnoName, StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { IN, OUT, PRI, ERR, HUP, RDHUP } = POLL;
const MS = 1;

let hosts: TwoHosts;
let nextPort = 1000;

beforeAll(async () => {
  hosts = await twoHosts({ delayUs: 1000 });
});
afterAll(() => hosts.net.dispose());

function opened(family: number = INET, host = hosts.a): StreamUser {
  return new StreamUser(host.kernel, { family });
}

/** Listens on b. */
function listening(family: number = INET, backlog = 16): readonly [StreamUser, number] {
  const listener = opened(family, hosts.b);
  const port = nextPort++;
  listener.bind(family === INET ? '0.0.0.0' : '::', port);
  listener.listen(backlog);
  return [listener, port];
}

/** Connected: the one on a, and its peer on b. */
async function pair(): Promise<{ client: StreamUser; server: StreamUser; port: number }> {
  const [listener, port] = listening();
  const client = opened();
  const [, server] = await hosts.net.run(Promise.all([client.connect('10.0.0.2', port), listener.accept()]));
  listener.close();
  return { client, server, port };
}

/** What a call gives: a code, or nothing. */
function codeOf(call: () => unknown): string {
  try {
    const result = call();
    return typeof result === 'number' ? errnoName(result) : '';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** As `SO_ERROR` says it, once. */
function soError(user: StreamUser): string {
  return errnoName(-user.option(SOL.SOCKET, SO.ERROR));
}

describe('a socket that is nothing yet', () => {
  test('can do nothing but begin, as in Linux', () => {
    const user = opened();
    expect(user.poll).toBe(OUT | HUP);
    expect(errnoName(user.trySend(new Uint8Array(1)))).toBe('EPIPE');
    expect(errnoName(user.tryReceive(new Uint8Array(1)))).toBe('ENOTCONN');
    expect(codeOf(() => user.shutdown(3))).toBe('ENOTCONN');
    expect([user.calls.queuedBytes(user.sock, false), user.calls.queuedBytes(user.sock, true)]).toEqual([0, 0]);
    user.close();
    expect(codeOf(() => user.calls.shutdown(user.sock, 1))).toBe('EBADF');
  });

  test.each([
    ['no route', INET, '198.51.100.1', 'ENETUNREACH'],
    ['a group', INET, '224.0.0.1', 'ENETUNREACH'],
    ['all on the link', INET, '255.255.255.255', 'ENETUNREACH'],
    ['another family', INET, 'fd00::2', 'EAFNOSUPPORT'],
    ['a link-local address without a scope', INET6, 'fe80::1', 'EINVAL'],
    ['a group of IPv6', INET6, 'ff02::1', 'EINVAL'],
  ])('connect to %s', (_what, family, address, code) => {
    const user = opened(family);
    expect(errnoName(user.tryConnect(address, 9))).toBe(code);
    user.close();
  });

  test.each([
    ['an address of nobody', INET, '10.0.0.9', 'EADDRNOTAVAIL'],
    ['another family', INET, 'fd00::1', 'EAFNOSUPPORT'],
    ['a group', INET, '224.0.0.1', 'EADDRNOTAVAIL'],
    ['its own', INET, '10.0.0.1', ''],
    ['IPv4, mapped', INET6, '::ffff:10.0.0.1', ''],
  ])('bind to %s', (_what, family, address, code) => {
    const user = opened(family);
    expect(codeOf(() => user.bind(address, 0))).toBe(code);
    user.close();
  });

  test('bind: once; a port that another listens at is taken, and free again when he closes', () => {
    const [first, second] = [opened(), opened()];
    const port = nextPort++;
    first.bind('0.0.0.0', port);
    expect(codeOf(() => first.bind('0.0.0.0', nextPort++))).toBe('EINVAL');
    expect(codeOf(() => second.bind('10.0.0.1', port))).toBe('EADDRINUSE');
    first.listen();
    expect(codeOf(() => second.bind('10.0.0.1', port))).toBe('EADDRINUSE');
    first.close();
    expect(codeOf(() => second.bind('10.0.0.1', port))).toBe('');
    second.close();
  });

  test('two that may share a port while neither listens: one may begin to', () => {
    const [first, second] = [opened(), opened()];
    const port = nextPort++;
    for (const user of [first, second]) {
      user.setOption(SOL.SOCKET, SO.REUSEADDR, 1);
      user.bind('0.0.0.0', port);
    }
    first.listen();
    expect(codeOf(() => second.listen())).toBe('EADDRINUSE');
    first.close();
    expect(codeOf(() => second.listen())).toBe('');
    second.close();
  });
});

describe('connect', () => {
  test('is under way, is done once, and is done', async () => {
    const [listener, port] = listening();
    const user = opened();
    expect(errnoName(user.tryConnect('10.0.0.2', port))).toBe('EINPROGRESS');
    expect(user.poll).toBe(0);
    expect(errnoName(user.trySend(new Uint8Array(1)))).toBe('EAGAIN');
    expect(errnoName(user.tryReceive(new Uint8Array(1)))).toBe('EAGAIN');
    expect(errnoName(user.tryConnect('10.0.0.2', port))).toBe('EALREADY');
    expect(codeOf(() => user.listen())).toBe('EINVAL');
    await hosts.net.pass(10 * MS);
    expect(user.poll).toBe(OUT);
    expect([0, 1].map(() => errnoName(user.tryConnect('10.0.0.2', port)))).toEqual(['', 'EISCONN']);
    expect(codeOf(() => user.bind('0.0.0.0', 0))).toBe('EINVAL');
    user.close();
    listener.close();
  });

  test('refused: SO_ERROR says so once; the next connect begins anew', async () => {
    const [listener, port] = listening();
    const user = opened();
    user.tryConnect('10.0.0.2', 9);
    await hosts.net.pass(10 * MS);
    expect(user.poll).toBe(IN | OUT | ERR | HUP | RDHUP);
    expect([soError(user), soError(user)]).toEqual(['ECONNREFUSED', '']);
    expect(errnoName(user.tryConnect('10.0.0.2', port))).toBe('ECONNABORTED');
    expect(errnoName(user.tryConnect('10.0.0.2', port))).toBe('EINPROGRESS');
    await hosts.net.pass(10 * MS);
    expect(user.poll).toBe(OUT);
    user.close();
    listener.close();
  });

  test('refused: connect itself says it, where nobody asked before', async () => {
    const user = opened();
    user.tryConnect('10.0.0.2', 9);
    await hosts.net.pass(10 * MS);
    expect([0, 1].map(() => errnoName(user.tryConnect('10.0.0.2', 9)))).toEqual(['ECONNREFUSED', 'EINPROGRESS']);
    user.close();
  });

  test('nobody answers: ETIMEDOUT, after so many SYNs (TCP_SYNCNT)', async () => {
    const user = opened();
    user.setOption(SOL.TCP, TCP_SOCKET_OPTION.SYNCNT, 1);
    user.tryConnect('10.0.0.77', 9);
    await hosts.net.pass(30_000);
    expect(['EHOSTUNREACH', 'ETIMEDOUT']).toContain(soError(user));
    user.close();
  });

  test('the same flow is not to be had twice', async () => {
    const [listener, port] = listening();
    const users = [opened(), opened()] as const;
    const local = nextPort++;
    for (const user of users) {
      user.setOption(SOL.SOCKET, SO.REUSEADDR, 1);
      user.bind('10.0.0.1', local);
    }
    await hosts.net.run(users[0].connect('10.0.0.2', port));
    expect(errnoName(users[1].tryConnect('10.0.0.2', port))).toBe('EADDRNOTAVAIL');
    for (const user of [...users, listener]) user.close();
    await hosts.net.pass(100);
  });

  test('AF_UNSPEC: the peer is reset, the socket begins anew', async () => {
    const { client, server } = await pair();
    expect(client.tryConnect('', 0)).toBe(0);
    expect(client.sock.remotePort).toBe(0);
    expect([client.sock.localPort, client.sock.local3]).toEqual([0, 0]);
    await hosts.net.pass(10 * MS);
    expect(soError(server)).toBe('ECONNRESET');
    expect(soError(client)).toBe('ECONNRESET');
    const [listener, port] = listening();
    await hosts.net.run(client.connect('10.0.0.2', port));
    for (const user of [client, server, listener]) user.close();
  });
});

describe('listen and accept', () => {
  test('who names no port is given one; only who listens accepts', () => {
    const user = opened();
    expect(user.calls.accept(user.sock, user)).toBeNull();
    user.listen();
    expect(user.sock.localPort).toBeGreaterThan(0);
    expect(user.option(SOL.SOCKET, SO.ACCEPTCONN)).toBe(1);
    expect(errnoName(user.tryConnect('10.0.0.2', 9))).toBe('EISCONN');
    expect([user.poll, errnoName(user.tryReceive(new Uint8Array(1)))]).toEqual([0, 'ENOTCONN']);
    user.close();
  });

  test('a shutdown ends it, and it may listen again', async () => {
    const [listener, port] = listening();
    listener.shutdown(1);
    const user = opened();
    user.tryConnect('10.0.0.2', port);
    await hosts.net.pass(10 * MS);
    expect(soError(user)).toBe('ECONNREFUSED');
    listener.listen();
    await hosts.net.run(opened().connect('10.0.0.2', port));
    await hosts.net.pass(10 * MS);
    expect(listener.poll).toBe(IN);
    for (const each of [user, listener]) each.close();
  });

  test('who was not accepted is reset when it closes', async () => {
    const [listener, port] = listening();
    const user = opened();
    await hosts.net.run(user.connect('10.0.0.2', port));
    listener.close();
    await hosts.net.pass(10 * MS);
    expect(soError(user)).toBe('ECONNRESET');
    user.close();
  });

  test('who was reset meanwhile is accepted all the same, as in Linux', async () => {
    const [listener, port] = listening();
    const user = opened();
    await hosts.net.run(user.connect('10.0.0.2', port));
    user.tryConnect('', 0);
    await hosts.net.pass(10 * MS);
    const server = await hosts.net.run(listener.accept());
    expect(errnoName(server.tryReceive(new Uint8Array(1)))).toBe('ECONNRESET');
    expect(server.tryReceive(new Uint8Array(1))).toBe(0);
    for (const each of [user, server, listener]) each.close();
  });

  test('a dual-stack listener has both families', async () => {
    const [listener, port] = listening(INET6);
    const users = [opened(INET), opened(INET6), opened(INET6)];
    await hosts.net.run(Promise.all(['10.0.0.2', 'fd00::2', '::ffff:10.0.0.2'].map((address, i) => users[i]!.connect(address, port))));
    const servers = await hosts.net.run(Promise.all([0, 1, 2].map(() => listener.accept())));
    await hosts.net.run(Promise.all(users.map((user, i) => user.send(Uint8Array.of(i)))));
    const found = await hosts.net.run(Promise.all(servers.map((server) => server.receive())));
    expect(found.map(([first]) => first).sort()).toEqual([0, 1, 2]);
    for (const each of [...users, ...servers, listener]) each.close();
  });

  test('children have what was set of their listener', async () => {
    const listener = opened(INET, hosts.b);
    const port = nextPort++;
    listener.bind('0.0.0.0', port);
    listener.setOption(SOL.TCP, TCP_SOCKET_OPTION.NODELAY, 1);
    listener.setOption(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE, 77);
    listener.setOption(SOL.SOCKET, SO.KEEPALIVE, 1);
    listener.setOption(SOL.SOCKET, SO.RCVBUF, 10_000);
    listener.setOption(SOL.SOCKET, SO.MARK, 5);
    listener.listen();
    const client = opened();
    const [, server] = await hosts.net.run(Promise.all([client.connect('10.0.0.2', port), listener.accept()]));
    const found = [
      server.option(SOL.TCP, TCP_SOCKET_OPTION.NODELAY),
      server.option(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE),
      server.option(SOL.SOCKET, SO.KEEPALIVE),
      server.option(SOL.SOCKET, SO.RCVBUF),
      server.option(SOL.SOCKET, SO.MARK),
    ];
    expect(found).toEqual([1, 77, 1, 20_000, 5]);
    for (const each of [client, server, listener]) each.close();
  });
});

describe('the end', () => {
  test('half closed: one way ends, the other goes on; poll as in Linux', async () => {
    const { client, server } = await pair();
    client.shutdown(2);
    expect(errnoName(client.trySend(new Uint8Array(1)))).toBe('EPIPE');
    await hosts.net.pass(10 * MS);
    expect(server.poll).toBe(IN | OUT | RDHUP);
    expect(server.tryReceive(new Uint8Array(1))).toBe(0);
    await hosts.net.run(server.send(Uint8Array.of(1, 2, 3)));
    await hosts.net.pass(10 * MS);
    expect(client.poll).toBe(IN | OUT);
    expect([...(await hosts.net.run(client.receive()))]).toEqual([1, 2, 3]);
    server.shutdown(2);
    expect(server.poll & HUP).toBe(HUP);
    await hosts.net.pass(10 * MS);
    expect(client.poll).toBe(IN | OUT | HUP | RDHUP);
    expect(client.tryReceive(new Uint8Array(1))).toBe(0);
    for (const each of [client, server]) each.close();
  });

  test('reset: the error is said once, then the stream is at its end', async () => {
    const { client, server } = await pair();
    server.setOption(SOL.SOCKET, SO.LINGER, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    server.close();
    await hosts.net.pass(10 * MS);
    expect(client.poll).toBe(IN | OUT | ERR | HUP | RDHUP);
    expect(errnoName(client.tryReceive(new Uint8Array(1)))).toBe('ECONNRESET');
    expect(client.tryReceive(new Uint8Array(1))).toBe(0);
    expect(errnoName(client.trySend(new Uint8Array(1)))).toBe('EPIPE');
    // It never asked how its connect went: so that is what the next one says.
    expect(errnoName(client.tryConnect('10.0.0.2', 9))).toBe('ECONNABORTED');
    client.close();
  });

  test('a port that bind named is kept until its user closes, whatever became of the connection', async () => {
    const [listener, port] = listening();
    const [client, other] = [opened(), opened()];
    const local = nextPort++;
    client.bind('10.0.0.1', local);
    await hosts.net.run(client.connect('10.0.0.2', port));
    listener.close();
    await hosts.net.pass(10 * MS);
    expect(soError(client)).toBe('ECONNRESET');
    expect(codeOf(() => other.bind('10.0.0.1', local))).toBe('EADDRINUSE');
    client.close();
    expect(codeOf(() => other.bind('10.0.0.1', local))).toBe('');
    other.close();
  });

  test('who closes without having read all resets (RFC 2525 §2.17)', async () => {
    const { client, server } = await pair();
    await hosts.net.run(client.send(Uint8Array.of(1)));
    await hosts.net.pass(10 * MS);
    server.close();
    await hosts.net.pass(10 * MS);
    expect(soError(client)).toBe('ECONNRESET');
    client.close();
  });

  test('data for who has closed resets', async () => {
    const { client, server } = await pair();
    server.close();
    await hosts.net.pass(10 * MS);
    expect(client.tryReceive(new Uint8Array(1))).toBe(0);
    expect(client.trySend(Uint8Array.of(1))).toBe(1);
    await hosts.net.pass(10 * MS);
    expect(errnoName(client.trySend(Uint8Array.of(1)))).toBe('EPIPE');
    client.close();
  });

  test('who lingers is told when the peer has all', async () => {
    const { client, server } = await pair();
    client.setOption(SOL.SOCKET, SO.LINGER, Uint8Array.of(1, 0, 0, 0, 5, 0, 0, 0));
    expect(client.trySend(new Uint8Array(3000))).toBe(3000);
    let wakes = 0;
    client.sock.wake = () => wakes++;
    client.close();
    expect([wakes, client.calls.queuedBytes(client.sock, true)]).toEqual([0, 3001]);
    await hosts.net.pass(100 * MS);
    expect([wakes, client.calls.queuedBytes(client.sock, true), client.sock.wake]).toEqual([1, 0, null]);
    expect((await hosts.net.run(server.receiveAll(4000))).length).toBe(3000);
    server.close();
  });
});

describe('room', () => {
  test('a write that does not fit is taken in part, then EAGAIN; a wake says when a third is free', async () => {
    const { client, server } = await pair();
    client.setOption(SOL.SOCKET, SO.SNDBUF, 20_000);
    server.setOption(SOL.SOCKET, SO.RCVBUF, 5_000);
    let sent = 0;
    for (let result = 1; result > 0; sent += Math.max(0, result)) result = client.trySend(new Uint8Array(50_000));
    expect(errnoName(client.trySend(new Uint8Array(1)))).toBe('EAGAIN');
    expect(client.poll & OUT).toBe(0);
    await hosts.net.pass(1000);
    expect(client.poll & OUT).toBe(0);
    const [all] = await hosts.net.run(Promise.all([server.receiveAll(sent), client.until(OUT)]));
    expect(all.length).toBe(sent);
    for (const each of [client, server]) each.close();
  });

  test('TCP_NOTSENT_LOWAT: writable while little was not sent at all', async () => {
    const { client, server } = await pair();
    client.setOption(SOL.TCP, TCP_SOCKET_OPTION.NOTSENT_LOWAT, 1000);
    client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CORK, 1);
    expect(client.trySend(new Uint8Array(999))).toBe(999);
    expect(client.poll).toBe(OUT);
    expect(client.trySend(new Uint8Array(400))).toBe(400);
    expect(client.poll).toBe(0);
    expect(errnoName(client.trySend(new Uint8Array(1)))).toBe('EAGAIN');
    client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CORK, 0);
    expect(client.poll).toBe(OUT);
    for (const each of [client, server]) each.close();
  });

  test('SO_RCVLOWAT: readable when so much is there', async () => {
    const { client, server } = await pair();
    server.setOption(SOL.SOCKET, SO.RCVLOWAT, 10);
    client.trySend(new Uint8Array(9));
    await hosts.net.pass(10 * MS);
    expect(server.poll & IN).toBe(0);
    client.trySend(new Uint8Array(1));
    await hosts.net.pass(10 * MS);
    expect(server.poll & IN).toBe(IN);
    for (const each of [client, server]) each.close();
  });

  test('the numbers of ioctl: what waits, what is not acknowledged, what was not sent', async () => {
    const { client, server } = await pair();
    client.trySend(new Uint8Array(100));
    expect([client.calls.queuedBytes(client.sock, true), client.calls.unsentBytes?.(client.sock)]).toEqual([100, 0]);
    await hosts.net.pass(200 * MS);
    expect(client.calls.queuedBytes(client.sock, true)).toBe(0);
    expect(server.calls.queuedBytes(server.sock, false)).toBe(100);
    for (const each of [client, server]) each.close();
  });
});

describe('how it is given', () => {
  test.each([
    ['all of it', 100_000, 20_000],
    ['as much as there is room for', 4096, 8192],
  ])('a packet itself is taken, %s, and given: MESSAGE_FLAG.SKB', async (_what, bufferBytes, takenBytes) => {
    const { client, server } = await pair();
    client.setOption(SOL.SOCKET, SO.SNDBUF, bufferBytes);
    const data = pattern(5, 0, 20_000);
    const message = new Message();
    message.flags = MESSAGE_FLAG.SKB;
    message.skb = hosts.a.kernel.port(SkbPool).current.alloc(0, 0)!;
    expect(copyIn(message.skb, data)).toBe(true);
    expect(client.calls.send(client.sock, message)).toBe(takenBytes);
    expect(message.skb === null).toBe(takenBytes === data.length);
    if (message.skb !== null) message.skb.memory.pool.release(message.skb);
    await hosts.net.pass(100 * MS);
    const found = new Uint8Array(data.length);
    const reader = new SkbReader();
    let got = 0;
    for (let count = 1; count > 0; got += Math.max(0, count)) {
      message.flags = MESSAGE_FLAG.SKB;
      count = server.calls.receive(server.sock, message);
      if (count < 0) break;
      reader.open(message.skb!);
      reader.copyOut(found, got, count);
      message.skb!.memory.pool.release(message.skb!);
    }
    expect(got).toBe(takenBytes);
    expect(Buffer.compare(found.subarray(0, got), data.subarray(0, got))).toBe(0);
    for (const each of [client, server]) each.close();
  });

  test('MSG_MORE holds back what is no whole segment, until what follows; scattered and gathered', async () => {
    const { client, server } = await pair();
    client.trySend(Uint8Array.of(1, 2), MESSAGE_FLAG.MORE);
    await hosts.net.pass(50 * MS);
    expect(server.calls.queuedBytes(server.sock, false)).toBe(0);
    const message = new Message();
    message.data = Uint8Array.of(3);
    message.more = [new Uint8Array(0), Uint8Array.of(4, 5)];
    expect(client.calls.send(client.sock, message)).toBe(3);
    await hosts.net.pass(50 * MS);
    const places = [new Uint8Array(2), new Uint8Array(2), new Uint8Array(3)];
    message.data = places[0]!;
    message.more = places.slice(1);
    message.flags = 0;
    expect(server.calls.receive(server.sock, message)).toBe(5);
    expect(places.map((place) => [...place])).toEqual([
      [1, 2],
      [3, 4],
      [5, 0, 0],
    ]);
    for (const each of [client, server]) each.close();
  });

  test('MSG_PEEK and MSG_TRUNC; nothing asked for is nothing given; TCP_INQ says what is left', async () => {
    const { client, server } = await pair();
    server.setOption(SOL.TCP, TCP_SOCKET_OPTION.INQ, 1);
    client.trySend(Uint8Array.of(1, 2, 3, 4, 5));
    client.shutdown(2);
    await hosts.net.pass(10 * MS);
    const message = new Message();
    const left = (lenBytes: number, flags = 0): [number, number | undefined] => {
      message.data = new Uint8Array(lenBytes);
      message.flags = flags;
      const count = server.calls.receive(server.sock, message);
      return [count, message.control?.data[0]];
    };
    expect(left(0)).toEqual([0, undefined]);
    expect([left(2, MESSAGE_FLAG.PEEK), left(2), message.data?.[1]]).toEqual([[2, 5], [2, 3], 2]);
    expect([left(2, MESSAGE_FLAG.TRUNC), left(9), message.data?.[0]]).toEqual([[2, 1], [1, 1], 5]);
    expect(left(9)).toEqual([0, undefined]);
    for (const each of [client, server]) each.close();
  });
});

describe('urgent data (RFC 6093)', () => {
  test('an octet beside the stream: told, read by MSG_OOB once, and where it stood', async () => {
    const { client, server } = await pair();
    client.trySend(Uint8Array.of(1, 2));
    client.trySend(Uint8Array.of(3, 4), 1);
    client.trySend(Uint8Array.of(5));
    await hosts.net.pass(100 * MS);
    expect(server.poll & PRI).toBe(PRI);
    const one = new Uint8Array(10);
    expect([server.tryReceive(one, 1 | 2), one[0], server.tryReceive(one, 1), one[0]]).toEqual([1, 4, 1, 4]);
    expect(errnoName(server.tryReceive(one, 1))).toBe('EINVAL');
    expect(server.poll & PRI).toBe(0);
    expect([server.tryReceive(one), ...one.subarray(0, 3), server.calls.isAtMark?.(server.sock)]).toEqual([3, 1, 2, 3, 1]);
    expect([server.tryReceive(one), one[0]]).toEqual([1, 5]);
    for (const each of [client, server]) each.close();
  });

  test('SO_OOBINLINE: in the stream', async () => {
    const { client, server } = await pair();
    server.setOption(SOL.SOCKET, SO.OOBINLINE, 1);
    expect(server.sock.flags & SOCK_FLAG.OOBINLINE).not.toBe(0);
    client.trySend(Uint8Array.of(1, 2), 1);
    await hosts.net.pass(10 * MS);
    expect(errnoName(server.tryReceive(new Uint8Array(1), 1))).toBe('EINVAL');
    expect([...(await hosts.net.run(server.receiveAll(2)))]).toEqual([1, 2]);
    for (const each of [client, server]) each.close();
  });
});
