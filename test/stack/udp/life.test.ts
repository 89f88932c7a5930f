import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, SOCK_TYPE, Sockets } from '@softnet/contract';
import { SocketModule } from '@softnet/socket';
import { UdpEchoModule, UdpModule } from '@softnet/udp';
import { setSrcPort } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { User } from './host.ts';
import { address, CLEAN, nobody, udpHost } from './host.ts';
import { stubLayer } from './stub-net.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const hello = new TextEncoder().encode('hello');

describe('udp leaves', () => {
  test('its sockets go on and hold it up; misses are silent; nobody new comes in; then it is gone', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(INET, 'client'), host.user(INET, 'server')];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    const late = host.user(INET, 'late');
    const unload = host.kernel.unload('udp');
    await host.settle();
    expect([a.notices, b.notices]).toEqual([['leaving udp#1'], ['leaving udp#1']]);
    expect(host.kernel.holders('udp').map(({ description, owner, place }) => `${description} of ${owner} at ${place}`)).toEqual([
      `udp 10.0.0.1:${a.sock.localPort} ← 10.0.0.2:9 of client at udp.open`,
      'udp 10.0.0.2:9 ← * of server at udp.open',
      'udp 0.0.0.0:0 ← * of late at udp.open',
    ]);
    expect(() => host.user()).toThrow('E');
    for (let i = 0; i < 3; i++) {
      expect(a.send(hello)).toBe(5);
      await host.settle();
      expect(b.receive()).toMatchObject({ bytes: [...hello] });
    }
    // Who was there may still bind, connect and be routed anew.
    expect([late.send(hello, '10.0.0.3:4'), late.connect('10.0.0.2:9'), late.send(hello)]).toEqual([5, 0, 5]);
    host.control.changed();
    expect(a.send(hello)).toBe(5);
    await host.settle();
    expect([b.receive(), b.receive()]).toMatchObject([{ bytes: [...hello] }, { bytes: [...hello] }]);
    expect([late.receive(), host.drops()], 'no door, no answer').toMatchObject([-ERRNO.EAGAIN, { 'ipv4.lost': 1 }]);
    for (const user of [a, b, late]) user.close();
    expect((await host.run(unload)).outcome).toBe('gone');
    expect(host.kernel.holders()).toEqual([]);
    await host.run(host.kernel.load(UdpModule));
    const again = host.user();
    expect(again.bind('10.0.0.2:9')).toBe(0);
    again.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('packets that are still to be sent of a closed socket are waited for', async () => {
    const host = await udpHost();
    const a = host.user();
    host.control.hold = true;
    a.send(hello, '10.0.0.2:9');
    a.close();
    const unload = host.kernel.unload('udp');
    await host.settle();
    expect(host.kernel.holders('udp').map(({ place }) => place)).toEqual(['udp.close']);
    host.control.go();
    expect(await host.run(unload)).toMatchObject({ outcome: 'gone', leaks: [] });
    expect(await host.end()).toEqual(CLEAN);
  });

  test('by force: sockets are closed and their users told why, packets that wait in them are freed', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    a.send(hello);
    await host.settle();
    const { broken, leaks } = await host.run(host.kernel.unload('udp', { force: true }));
    expect([broken.length, leaks, b.woken]).toEqual([2, [], 2]);
    expect(a.notices.at(-1)).toBe('closed udp#1');
    expect([a.send(hello), b.receive(), b.sock.error]).toEqual([-ERRNO.EBADF, -ERRNO.EBADF, ERRNO.ECONNABORTED]);
    expect(host.kernel.holders()).toEqual([]);
    expect(await host.end()).toEqual(CLEAN);
  });

  test('replaced: old sockets go on beside new ones, on one table of ports', async () => {
    const host = await udpHost();
    const old = host.user();
    old.bind('10.0.0.2:9');
    const { drained } = await host.run(host.kernel.replace('udp', UdpModule));
    const young = host.user();
    expect(young.bind('10.0.0.2:9')).toBe(-ERRNO.EADDRINUSE);
    expect([young.connect('10.0.0.2:9'), young.send(hello)]).toEqual([0, 5]);
    await host.settle();
    expect(old.receive()).toMatchObject({ bytes: [...hello] });
    old.close();
    expect((await host.run(drained)).outcome).toBe('gone');
    young.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

describe('a layer leaves', () => {
  test('bound and connected sockets of it hold it up, newcomers are refused, the other family goes on', async () => {
    const host = await udpHost();
    const [bound, connected, free, four] = [host.user(INET6), host.user(INET6), host.user(INET6), host.user()];
    bound.bind('[2001:db8::1]:7');
    connected.connect('[2001:db8::1]:7');
    const unload = host.kernel.unload('ipv6');
    await host.settle();
    expect(() => host.user(INET6)).toThrow('EAFNOSUPPORT');
    expect(connected.send(hello)).toBe(5);
    host.control.changed();
    expect(connected.send(hello), 'routed anew').toBe(5);
    await host.settle();
    expect([bound.receive(), bound.receive()]).toMatchObject([{ bytes: [...hello] }, { bytes: [...hello] }]);
    // It was opened before, so it is no newcomer; who opened after could not have.
    expect(free.bind('[2001:db8::2]:8')).toBe(0);
    expect(four.bind('10.0.0.1:7')).toBe(0);
    expect(host.kernel.holders('ipv6').map(({ place }) => place).toSorted()).toEqual(['udp.bind', 'udp.bind', 'udp.connect']);
    for (const user of [bound, connected]) user.close();
    expect(host.kernel.module('ipv6')?.state).toBe('draining');
    free.close();
    expect((await host.run(unload)).outcome).toBe('gone');
    four.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('by force its sockets are closed; a dual-stack one that only may speak it stays', async () => {
    const host = await udpHost();
    const [dual, four] = [host.user(INET6), host.user()];
    dual.bind(':7');
    four.connect('10.0.0.1:7');
    four.send(hello);
    await host.settle();
    await host.run(host.kernel.unload('ipv4', { force: true }));
    expect([four.send(hello), dual.notices]).toEqual([-ERRNO.EBADF, []]);
    expect(dual.receive(), 'what came before can still be read').toMatchObject({ bytes: [...hello] });
    expect(dual.send(hello, '[::ffff:10.0.0.1]:9')).toBe(-ERRNO.ENETUNREACH);
    dual.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('replaced: holds move to its next generation, and packets go by that', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    const { drained } = await host.run(host.kernel.replace('ipv4', stubLayer(INET, host.control)));
    expect((await host.run(drained)).outcome).toBe('gone');
    host.control.changed();
    expect(a.send(hello)).toBe(5);
    await host.settle();
    expect([b.receive(), b.send(hello, `10.0.0.1:${a.sock.localPort}`)]).toMatchObject([{ bytes: [...hello] }, 5]);
    await host.settle();
    expect(a.receive()).toMatchObject({ bytes: [...hello] });
    expect(host.kernel.holders('ipv4#2').length).toBe(2);
    a.close();
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

describe('the socket module leaves', () => {
  test('with all that need it: who is inside goes on, nobody binds', async () => {
    const host = await udpHost();
    const [a, b, late] = [host.user(), host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    const unload = host.kernel.unload('socket', { cascade: true });
    await host.settle();
    expect(() => host.kernel.port(Sockets).current.open(INET, SOCK_TYPE.DGRAM, 0, { name: 'x' })).toThrow('EAFNOSUPPORT');
    expect([late.bind(':5'), late.connect('10.0.0.2:9'), late.send(hello, '10.0.0.2:9')]).toEqual(new Array(3).fill(-ERRNO.ESHUTDOWN));
    expect(a.send(hello)).toBe(5);
    await host.settle();
    expect(b.receive()).toMatchObject({ bytes: [...hello] });
    for (const user of [a, b, late]) user.close();
    expect((await host.run(unload)).gone.toSorted()).toEqual(['ipv4#1', 'ipv6#1', 'socket#1', 'udp#1']);
    expect(await host.end()).toEqual(CLEAN);
  });

  test('is not replaced while sockets are in its tables, and is when none are', async () => {
    const host = await udpHost();
    const a = host.user();
    a.bind(':7');
    await expect(host.run(host.kernel.replace('socket', SocketModule))).rejects.toThrow('EBUSY');
    expect(a.send(hello, '10.0.0.1:7')).toBe(5);
    await host.settle();
    expect(a.receive()).toMatchObject({ bytes: [...hello] });
    a.close();
    await host.run(host.kernel.replace('socket', SocketModule));
    const b = host.user();
    expect([b.bind(':7'), b.send(hello, '10.0.0.1:7')]).toEqual([0, 5]);
    await host.settle();
    expect(b.receive()).toMatchObject({ bytes: [...hello] });
    b.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

describe('the echo service', () => {
  async function echoed(host: Awaited<ReturnType<typeof udpHost>>, family: number, to: string) {
    const user = host.user(family);
    user.send(Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff), to);
    await host.settle();
    const got = user.receive();
    user.close();
    return typeof got === 'object' && got.bytes.length === 5000 && got.bytes.every((byte, i) => byte === (i & 0xff));
  }

  test('answers both families by one socket; lets go when UDP leaves, and is there again with the next', async () => {
    const host = await udpHost();
    await host.run(host.kernel.load(UdpEchoModule));
    await host.settle();
    const both = async () => [await echoed(host, INET, '10.0.0.1:7'), await echoed(host, INET6, '[2001:db8::1]:7')];
    expect(await both()).toEqual([true, true]);
    expect(host.kernel.holders('udp').map(({ owner }) => owner)).toEqual(['udp-echo']);
    expect((await host.run(host.kernel.unload('udp'))).outcome).toBe('gone');
    await host.world.advance(3_000_000);
    await host.run(host.kernel.load(UdpModule));
    await host.world.advance(1_000_000);
    expect(await both()).toEqual([true, true]);
    await host.run(host.kernel.replace('udp', UdpModule));
    expect(host.kernel.modules().filter(({ name }) => name === 'udp').length).toBe(1);
    expect(await both()).toEqual([true, true]);
    expect(host.counter('udp-echo.echoed')).toBe(6);
    expect((await host.run(host.kernel.unload('udp-echo'))).leaks).toEqual([]);
    expect(await echoed(host, INET, '10.0.0.1:7')).toBe(false);
    expect(await host.end()).toEqual(CLEAN);
  });

  test('of IPv4 alone where there is nothing else; says who has its port; comes back from a leave that was called off', async () => {
    const host = await udpHost({ families: [INET] });
    const user = host.user();
    user.bind(':7');
    await expect(host.run(host.kernel.load(UdpEchoModule))).rejects.toThrow('EADDRINUSE');
    user.close();
    await host.run(host.kernel.load(UdpEchoModule));
    await host.settle();
    expect(await echoed(host, INET, '10.0.0.1:7')).toBe(true);
    const held = host.user();
    const unload = host.kernel.unload('socket', { cascade: true });
    await host.settle();
    expect([host.kernel.module('udp-echo')?.state, host.kernel.holders('udp').length]).toEqual(['draining', 1]);
    await host.run(host.kernel.abort('socket'));
    expect((await host.run(unload)).outcome).toBe('live');
    expect(await echoed(host, INET, '10.0.0.1:7')).toBe(true);
    held.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('does not answer another echo, which would never end', async () => {
    const host = await udpHost();
    await host.run(host.kernel.load(UdpEchoModule));
    await host.settle();
    const user = host.user();
    host.control.spoil = (skb) => setSrcPort(skb.memory.view, skb.network + 20, 7);
    expect(user.send(hello, '10.0.0.1:7')).toBe(5);
    await host.settle();
    expect([host.counter('udp.in'), host.counter('udp-echo.echoed')]).toEqual([1, 0]);
    user.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

test('whatever users call in whatever order, nothing throws and nothing is left', async () => {
  const ends = fc.constantFrom('10.0.0.1:7', '10.0.0.2:9', ':7', ':0', '99.0.0.1:5', '[2001:db8::1]:7', '[::ffff:10.0.0.1]:9', '[fe80::1%1]:7', '255.255.255.255:7');
  const call = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('bind', 'connect', 'disconnect', 'send', 'sendto', 'receive', 'take', 'shut', 'close', 'flags', 'changed', 'settle'),
    end: ends,
    size: fc.constantFrom(0, 1, 100, 3000),
    bits: fc.nat(0x87),
  });
  const host = await udpHost();
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
      const users: User[] = [INET, INET6, INET, INET6].map((family) => host.user(family));
      for (const { who, what, end, size, bits } of calls) {
        const user = users[who]!;
        if (what === 'settle') await host.settle();
        else if (what === 'changed') host.control.changed();
        else expect(Number.isInteger(act(user, what, end, size, bits))).toBe(true);
      }
      await host.settle();
      for (const user of users) user.close();
      for (const { sock } of users) expect(remains(sock)).toEqual([0, 0, 0, 0]);
      expect(host.kernel.holders()).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(await host.end()).toEqual(CLEAN);
});

function remains(sock: SockCommon): number[] {
  return [sock.sendQueuedBytes, sock.receiveQueuedBytes, sock.dst === null ? 0 : 1, sock.hashNext === null ? 0 : 1];
}

function act(user: User, what: string, end: string, size: number, bits: number): number {
  const { calls, sock, message } = user;
  switch (what) {
    case 'bind':
      return calls.bind(sock, address(end, sock.family));
    case 'connect':
      return calls.connect(sock, address(end, sock.family));
    case 'disconnect':
      return calls.connect(sock, nobody);
    case 'send':
      return user.send(new Uint8Array(size));
    case 'sendto':
      return user.send(new Uint8Array(size), end);
    case 'receive': {
      const got = user.receive(bits & (MESSAGE_FLAG.PEEK | MESSAGE_FLAG.TRUNC), new Uint8Array(50));
      return typeof got === 'number' ? got : 0;
    }
    case 'take': {
      message.flags = MESSAGE_FLAG.SKB;
      const got = calls.receive(sock, message);
      if (got >= 0 && message.skb !== null) message.skb.memory.pool.release(message.skb);
      message.skb = null;
      return got;
    }
    case 'shut':
      return calls.shutdown(sock, bits & 3);
    case 'flags':
      sock.flags = (sock.flags & ~0x8f) | (bits & 0x8f);
      return 0;
    default:
      calls.close(sock);
      return 0;
  }
}
