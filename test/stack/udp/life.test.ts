import { ADDRESS_FAMILY, ERRNO, SOCK_TYPE, Sockets } from '@softnet/contract';
import { SocketModule } from '@softnet/socket';
import { UdpModule } from '@softnet/udp';
import { describe, expect, test } from 'vitest';
import { CLEAN, udpHost } from './host.ts';
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
    expect(
      host.kernel
        .holders('ipv6')
        .map(({ place }) => place)
        .toSorted(),
    ).toEqual(['udp.bind', 'udp.bind', 'udp.connect']);
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

  test('replaced, draining: connected sockets go by the next generation once they are routed anew, bound ones at once', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    const old = a.sock.layer;
    const { drained } = await host.run(host.kernel.replace('ipv4', stubLayer(INET, host.control), { mode: 'drain' }));
    expect([a.send(hello), a.sock.layer]).toEqual([5, old]);
    host.control.changed();
    expect(a.send(hello)).toBe(5);
    expect(a.sock.layer).not.toBe(old);
    expect((await host.run(drained)).outcome).toBe('gone');
    expect(b.sock.layer).toBe(a.sock.layer);
    expect([b.receive(), b.receive()]).toMatchObject([{ bytes: [...hello] }, { bytes: [...hello] }]);
    b.close();
    expect(a.send(hello)).toBe(5);
    a.close();
    await host.settle();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('replaced: holds move to its next generation, and packets go by that', async () => {
    const host = await udpHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.2:9');
    a.connect('10.0.0.2:9');
    const { drained } = await host.run(host.kernel.replace('ipv4', stubLayer(INET, host.control)));
    expect((await host.run(drained)).outcome).toBe('gone');
    expect([a, b].map(({ sock }) => sock.layer?.uses.module)).toEqual(['ipv4#2', 'ipv4#2']);
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

  test('is replaced over sockets that are in its tables: they keep their ports, and are found', async () => {
    const host = await udpHost();
    const a = host.user();
    a.bind(':7');
    await host.run(host.kernel.replace('socket', SocketModule));
    expect(host.user().bind(':7')).toBe(-ERRNO.EADDRINUSE);
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
