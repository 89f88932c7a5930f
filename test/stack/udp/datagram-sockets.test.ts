import type { ModuleContext, SockCommon, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  MESSAGE_FLAG,
  Module,
  NetError,
  OptionLevel,
  POLL,
  SKB_SLOTS,
  SOCK_FLAG,
  SockAddress,
  Sockets,
} from '@softnet/contract';
import { put } from '@softnet/skb';
import { describe, expect, test } from 'vitest';
import { address, CLEAN, udpHost } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const hello = new TextEncoder().encode('hello');
const SOL_SOCKET = 1;

describe('datagrams', () => {
  test.each([
    [INET, '10.0.0.1:7', '10.0.0.2:9'],
    [INET6, '[2001:db8::1]:7', '[2001:db8::2]:9'],
  ])('go from one socket to another, of family %i, and say where they come from', async (family, here, there) => {
    const host = await udpHost();
    const [a, b] = [host.user(family), host.user(family)];
    expect([a.bind(here), b.bind(there)]).toEqual([0, 0]);
    expect(a.receive()).toBe(-ERRNO.EAGAIN);
    expect(a.send(hello, there)).toBe(5);
    await host.settle();
    expect(b.woken).toBe(1);
    expect(b.receive()).toEqual({ bytes: [...hello], from: here, flags: 0 });
    expect([b.sock.receiveQueuedBytes, a.sock.sendQueuedBytes]).toEqual([0, 0]);
    expect(b.send(new Uint8Array(0), here)).toBe(0);
    await host.settle();
    expect(a.receive()).toEqual({ bytes: [], from: there, flags: 0 });
    expect([host.counter('udp.in'), host.counter('udp.out')]).toEqual([2, 2]);
    for (const user of [a, b]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('of every size up to the largest of the family', async () => {
    const host = await udpHost();
    for (const [family, to, largest] of [
      [INET, '10.0.0.1:7', 65507],
      [INET6, '[2001:db8::1]:7', 65527],
    ] as const) {
      const [a, b] = [host.user(family), host.user(family)];
      b.bind(to);
      for (const size of [1, 31, 33, 1472, 1950, 2100, 4000, 4097, 20_001, largest]) {
        const data = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff);
        expect(a.send(data, to)).toBe(size);
        await host.settle();
        const got = b.receive();
        expect(typeof got === 'object' && got.bytes.length === size && got.bytes.every((byte, i) => byte === data[i])).toBe(true);
      }
      expect(a.send(new Uint8Array(largest + 1), to)).toBe(-ERRNO.EMSGSIZE);
      expect(a.send(new Uint8Array(70_000), to)).toBe(-ERRNO.EMSGSIZE);
      a.close();
      b.close();
    }
    expect(await host.end()).toEqual(CLEAN);
  });

  test('gathered, scattered, cut off, looked at, and handed over as they are', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.1:7');
    a.connect('10.0.0.1:7');
    const send = async () => {
      const { message } = a;
      Object.assign(message, { data: hello, more: [new Uint8Array([1, 2]), new Uint8Array([3])], flags: 0, hasAddress: false });
      expect(a.calls.send(a.sock, message)).toBe(8);
      await host.settle();
    };
    await send();
    expect(b.receive(MESSAGE_FLAG.PEEK)).toMatchObject({ bytes: [...hello, 1, 2, 3] });
    expect(b.receive(MESSAGE_FLAG.PEEK | MESSAGE_FLAG.TRUNC, new Uint8Array(3))).toMatchObject({
      bytes: [...hello.subarray(0, 3)],
      flags: MESSAGE_FLAG.TRUNC,
    });
    b.message.flags = MESSAGE_FLAG.TRUNC;
    b.message.data = new Uint8Array(3);
    expect(b.calls.receive(b.sock, b.message), 'all that it had').toBe(8);
    expect(b.receive()).toBe(-ERRNO.EAGAIN);

    await send();
    const [first, second] = [new Uint8Array(3), new Uint8Array(9)];
    Object.assign(b.message, { data: first, more: [second], flags: 0 });
    expect(b.calls.receive(b.sock, b.message)).toBe(8);
    expect([...first, ...second.subarray(0, 5)]).toEqual([...hello, 1, 2, 3]);

    // What it was on its way is nobody's business when it waits: routes and others' notes are not held by it.
    host.control.spoil = (skb) => {
      skb.slots = new Array<unknown>(SKB_SLOTS).fill('a note');
      skb.dst = a.sock.dst!.dst;
    };
    await send();
    for (const flags of [MESSAGE_FLAG.SKB | MESSAGE_FLAG.PEEK, MESSAGE_FLAG.SKB]) {
      Object.assign(b.message, { data: null, more: null, flags });
      expect(b.calls.receive(b.sock, b.message)).toBe(8);
      const skb = b.message.skb!;
      expect([...skb.memory.bytes.subarray(skb.data, skb.tail)]).toEqual([...hello, 1, 2, 3]);
      expect([skb.sock, skb.dst, skb.slots?.every((slot) => slot === null) ?? true]).toEqual([null, null, true]);
      skb.memory.pool.release(skb);
    }
    expect(b.sock.receiveQueuedBytes).toBe(0);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a packet that was received is sent back without a copy; what is refused stays the sender’s', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.1:7');
    a.connect('10.0.0.1:7');
    a.send(new Uint8Array(3000).fill(7));
    await host.settle();
    Object.assign(b.message, { data: null, flags: MESSAGE_FLAG.SKB });
    b.calls.receive(b.sock, b.message);
    b.message.address = address('99.0.0.1:1');
    expect(b.calls.send(b.sock, b.message)).toBe(-ERRNO.ENETUNREACH);
    const skb = b.message.skb!;
    expect(skb).not.toBeNull();
    b.message.address = address(`10.0.0.1:${a.sock.localPort}`);
    expect([b.calls.send(b.sock, b.message), b.message.skb]).toEqual([3000, null]);
    await host.settle();
    expect(a.receive()).toMatchObject({ bytes: [...new Uint8Array(3000).fill(7)], from: '10.0.0.1:7' });
    b.message.flags = MESSAGE_FLAG.SKB;
    expect(b.calls.send(b.sock, b.message), 'none is there').toBe(-ERRNO.EINVAL);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

describe('errors and limits', () => {
  test('a refused datagram is told by the next call: of a connected socket', async () => {
    const host = await udpHost();
    const [a, loose, all] = [host.user(), host.user(), host.user()];
    a.connect('10.0.0.2:9');
    all.sock.flags |= SOCK_FLAG.RECVERR;
    expect([a.send(hello), loose.send(hello, '10.0.0.2:9'), all.send(hello, '10.0.0.2:9')]).toEqual([5, 5, 5]);
    await host.settle();
    expect(a.calls.poll(a.sock) & POLL.ERR).toBe(POLL.ERR);
    expect([a.woken, loose.woken, all.woken]).toEqual([1, 0, 1]);
    expect([a.receive(), a.receive()]).toEqual([-ERRNO.ECONNREFUSED, -ERRNO.EAGAIN]);
    expect([all.send(hello, '10.0.0.2:9'), loose.send(hello, '10.0.0.2:9')]).toEqual([-ERRNO.ECONNREFUSED, 5]);
    a.send(hello);
    await host.settle();
    const value = new Uint8Array(4);
    expect([a.calls.getOption(a.sock, SOL_SOCKET, 4, value), value[0], a.sock.error]).toEqual([4, ERRNO.ECONNREFUSED, 0]);
    for (const user of [a, loose, all]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a datagram that is spoilt on its way is dropped, for whomever it was, and nobody is refused for it', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.3:9');
    host.control.finish = true;
    expect([a.send(hello, '10.0.0.2:9'), a.send(hello)]).toEqual([5, 5]);
    await host.settle();
    expect([b.receive(), a.receive()]).toMatchObject([{ bytes: [...hello] }, -ERRNO.ECONNREFUSED]);
    host.control.spoil = (skb) => {
      skb.memory.bytes[skb.tail - 1]! ^= 1;
    };
    expect([a.send(hello, '10.0.0.2:9'), a.send(hello)]).toEqual([5, 5]);
    await host.settle();
    expect([b.receive(), a.receive(), host.drops()]).toMatchObject([-ERRNO.EAGAIN, -ERRNO.EAGAIN, { 'udp.checksum': 2, 'udp.no-port': 1 }]);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('what lies behind a datagram’s own length is not its user’s; another mark asks for another route', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    host.control.spoil = (skb) => void put(skb, 3);
    const before = host.control.lookups;
    expect([a.send(hello), host.control.lookups - before]).toEqual([5, 0]);
    await host.settle();
    expect(b.receive()).toMatchObject({ bytes: [...hello] });
    expect([a.option(SOL_SOCKET, 36, 5), a.send(hello), a.send(hello), host.control.lookups - before]).toEqual([0, 5, 5, 1]);
    a.close();
    b.close();
    await host.settle();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('what the layer says of the packet at hand, its send says', async () => {
    const host = await udpHost();
    const a = host.user();
    host.control.localErrno = ERRNO.EMSGSIZE;
    expect(a.send(hello, '10.0.0.2:9')).toBe(-ERRNO.EMSGSIZE);
    expect(a.sock.error).toBe(0);
    host.control.localErrno = 0;
    expect(a.send(hello, '10.0.0.2:9')).toBe(5);
    a.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('sending is bounded, and who was told EAGAIN is woken when there is room', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    expect(a.option(SOL_SOCKET, 7, 5000)).toBe(0);
    host.control.hold = true;
    let sent = 0;
    while (a.send(hello) === 5) sent++;
    expect([sent, a.send(hello), a.sock.sendQueuedBytes >= 10_000]).toEqual([5, -ERRNO.EAGAIN, true]);
    expect(a.calls.poll(a.sock) & POLL.OUT).toBe(0);
    host.control.go();
    await host.settle();
    expect([a.woken, a.calls.poll(a.sock) & POLL.OUT, a.sock.sendQueuedBytes]).toEqual([1, POLL.OUT, 0]);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('receiving is bounded: the rest is dropped with a reason, but one datagram always fits', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    expect(b.option(SOL_SOCKET, 8, 1)).toBe(0);
    for (let i = 0; i < 4; i++) a.send(new Uint8Array(10_000));
    await host.settle();
    expect(host.drops()).toMatchObject({ 'udp.full': 3 });
    expect(b.receive()).toMatchObject({ from: `10.0.0.1:${a.sock.localPort}` });
    expect(b.receive()).toBe(-ERRNO.EAGAIN);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('shut, then closed, as often as one likes', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    expect(a.calls.shutdown(a.sock, 2)).toBe(-ERRNO.ENOTCONN);
    a.close();
    const c = host.user();
    c.connect('10.0.0.2:9');
    expect(c.calls.shutdown(c.sock, 4)).toBe(-ERRNO.EINVAL);
    expect([c.send(hello), c.calls.shutdown(c.sock, 2), c.send(hello)]).toEqual([5, 0, -ERRNO.EPIPE]);
    b.calls.shutdown(b.sock, 1);
    await host.settle();
    expect([b.receive(), b.calls.poll(b.sock) & (POLL.IN | POLL.RDHUP)]).toMatchObject([{ bytes: [] }, POLL.IN | POLL.RDHUP]);
    expect(host.drops()).toMatchObject({ 'udp.shut': 1 });
    c.calls.shutdown(c.sock, 1);
    expect(c.calls.poll(c.sock) & POLL.HUP).toBe(POLL.HUP);
    for (const user of [a, b, c, c]) user.close();
    const answers = [
      c.send(hello),
      c.receive(),
      c.bind(':1'),
      c.connect('10.0.0.1:1'),
      c.option(SOL_SOCKET, 2, 1),
      c.calls.shutdown(c.sock, 1),
    ];
    expect(new Set(answers)).toEqual(new Set([-ERRNO.EBADF]));
    expect([c.calls.listen(c.sock, 1), c.calls.accept(c.sock, c)]).toEqual([-ERRNO.EOPNOTSUPP, null]);
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a send that cannot be: no peer, port 0, urgent', async () => {
    const host = await udpHost();
    const a = host.user();
    expect(a.send(hello)).toBe(-ERRNO.EDESTADDRREQ);
    expect(a.send(hello, '10.0.0.1:0')).toBe(-ERRNO.EINVAL);
    expect(a.send(hello, '99.0.0.1:9')).toBe(-ERRNO.ENETUNREACH);
    expect(a.calls.connect(a.sock, Object.assign(new SockAddress(), { family: 99 }))).toBe(-ERRNO.EAFNOSUPPORT);
    for (const flags of [MESSAGE_FLAG.OOB, MESSAGE_FLAG.OOB | MESSAGE_FLAG.MORE]) {
      a.message.flags = flags;
      expect(a.calls.send(a.sock, a.message)).toBe(-ERRNO.EOPNOTSUPP);
    }
    expect(a.connect('10.0.0.1:0')).toBe(0);
    expect(a.send(hello)).toBe(-ERRNO.EINVAL);
    a.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('memory that is out is ENOBUFS, and nothing is lost of it', async () => {
    const host = await udpHost();
    host.kernel.sysctl.set('net.core.skb_buffers', 4);
    host.kernel.sysctl.set('net.core.skb_pages', 2);
    // It may be used up.
    host.kernel.sysctl.set('net.core.skb_pressure', 0);
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    expect(a.send(new Uint8Array(20_000))).toBe(-ERRNO.ENOBUFS);
    expect(a.sock.sendQueuedBytes).toBe(0);
    for (let i = 0; i < 4; i++) expect(a.send(hello)).toBe(5);
    expect(a.send(hello)).toBe(-ERRNO.ENOBUFS);
    await host.settle();
    for (let i = 0; i < 4; i++) expect(b.receive()).toMatchObject({ bytes: [...hello] });
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

test('options of a level go to who has it, as itself; it hears of each socket that is closed', async () => {
  const host = await udpHost();
  const seen: string[] = [];
  @Module({ name: 'level', version: '1.0.0', provides: [OptionLevel] })
  class Level implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const note = (what: string): void => void seen.push(`${what} ${ctx.current.id === ctx.owner}`);
      const set = (_sock: SockCommon, name: number) => {
        note(`set ${name}`);
        return -1;
      };
      ctx.contribute(OptionLevel, { level: 77, set, get: () => 7, closed: () => note('closed') }, 'corridor');
    }
  }
  await host.run(host.kernel.load(Level));
  const a = host.user();
  expect([a.option(77, 3, 0), a.calls.getOption(a.sock, 77, 1, hello), a.option(78, 1, 0)]).toEqual([-1, 7, -ERRNO.ENOPROTOOPT]);
  expect(a.calls.getOption(a.sock, 78, 1, hello)).toBe(-ERRNO.ENOPROTOOPT);
  a.close();
  a.close();
  expect(seen).toEqual(['set 3 true', 'closed true']);
  expect(await host.end()).toEqual(CLEAN);
});

test('a level that throws when a socket is closed keeps nothing of it', async () => {
  const host = await udpHost();
  @Module({ name: 'bad-level', version: '1.0.0', provides: [OptionLevel] })
  class BadLevel implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const closed = (): void => {
        throw new Error('a level’s bug');
      };
      ctx.contribute(OptionLevel, { level: 77, set: () => 0, get: () => 0, closed }, 'corridor');
    }
  }
  await host.run(host.kernel.load(BadLevel));
  const [a, b] = [host.user(), host.user()];
  expect(a.bind('10.0.0.2:9')).toBe(0);
  expect(() => a.close()).toThrow('a level’s bug');
  expect(host.kernel.holders('udp').map(({ owner }) => owner)).toHaveLength(1);
  await host.run(host.kernel.unload('bad-level'));
  expect(b.bind('10.0.0.2:9'), 'its port is free').toBe(0);
  b.close();
  expect(await host.end()).toEqual(CLEAN);
});

test('opening says what is missing, by Linux’s errnos', async () => {
  const host = await udpHost({ families: [INET] });
  const open = (family: number, type: number, protocol: number) => () =>
    host.kernel.port(Sockets).current.open(family, type, protocol, { name: 'x' });
  expect(open(INET6, 2, 0)).toThrow('EAFNOSUPPORT');
  expect(open(INET, 1, 0)).toThrow('ESOCKTNOSUPPORT');
  expect(open(INET, 2, 136)).toThrow('EPROTONOSUPPORT');
  expect(open(INET, 2, 17)().protocol).toBe(17);
  await host.run(host.kernel.unload('udp', { force: true }));
  expect(open(INET, 2, 17)).toThrow(NetError);
  expect(await host.end()).toEqual(CLEAN);
});
