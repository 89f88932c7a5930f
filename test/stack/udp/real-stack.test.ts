import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { UdpEchoModule } from '@softnet/udp';
import { describe, expect, test } from 'vitest';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

describe('UDP over the real layers and a loopback', () => {
  test.each([
    [INET, '127.0.0.1:7', 65507],
    [INET6, '[::1]:7', 65527],
  ])('is echoed in all sizes, family %i', async (family, to, largest) => {
    const { kernel, run, settle, user, end } = await realHost();
    await run(kernel.load(UdpEchoModule));
    await settle();
    const a = user(family);
    expect(a.connect(to)).toBe(0);
    for (const size of [0, 1, 1400, 4000, 20_001, largest]) {
      const data = Uint8Array.from({ length: size }, (_, i) => (i * 13) & 0xff);
      expect(a.send(data)).toBe(size);
      await settle();
      const got = a.receive();
      expect(typeof got === 'object' && got.from === to && got.bytes.length === size && got.bytes.every((b, i) => b === data[i])).toBe(
        true,
      );
    }
    a.close();
    expect(await end()).toEqual(CLEAN);
  });

  test('an echo comes from the address that was spoken to, of both families, whatever the route would choose', async () => {
    const { kernel, run, settle, user, end } = await realHost();
    await run(kernel.load(UdpEchoModule));
    await settle();
    for (const [family, to] of [
      [INET, '127.9.8.7:7'],
      [INET6, '[::1]:7'],
    ] as const) {
      const a = user(family);
      expect([a.bind(family === INET ? '127.0.0.1:0' : ':0'), a.send(new Uint8Array(3), to)]).toEqual([0, 3]);
      await settle();
      expect(a.receive()).toMatchObject({ from: to });
      a.close();
    }
    expect(await end()).toEqual(CLEAN);
  });

  test.each([
    [INET, '127.0.0.1:9'],
    [INET6, '[::1]:9'],
  ])('nobody there: refused, family %i; in silence while udp leaves', async (family, to) => {
    const { kernel, run, settle, user, end } = await realHost();
    const a = user(family);
    a.connect(to);
    expect(a.send(new Uint8Array(3))).toBe(3);
    await settle();
    expect([a.receive(), a.receive()]).toEqual([-ERRNO.ECONNREFUSED, -ERRNO.EAGAIN]);
    const unload = kernel.unload('udp');
    expect(a.send(new Uint8Array(3))).toBe(3);
    await settle();
    expect(a.receive()).toBe(-ERRNO.EAGAIN);
    a.close();
    expect((await run(unload)).outcome).toBe('gone');
    expect(await end()).toEqual(CLEAN);
  });

  test('both families leave, each as soon as its sockets are closed, and come back', async () => {
    const { kernel, run, settle, user, end } = await realHost();
    for (const [name, family, to, module] of [
      ['ipv6', INET6, '[::1]:7', Ipv6Module],
      ['ipv4', INET, '127.0.0.1:7', Ipv4Module],
    ] as const) {
      const [a, b] = [user(family), user(family)];
      b.bind(to);
      a.connect(to);
      const unload = kernel.unload(name);
      for (let i = 0; i < 3; i++) {
        expect(a.send(new Uint8Array([i]))).toBe(1);
        await settle();
        expect(b.receive()).toMatchObject({ bytes: [i] });
      }
      expect(() => user(family)).toThrow('EAFNOSUPPORT');
      expect(kernel.module(name)?.state).toBe('draining');
      a.close();
      expect(kernel.module(name)?.state).toBe('draining');
      b.close();
      expect((await run(unload)).outcome).toBe('gone');
      await run(kernel.load(module));
      await settle();
      const again = user(family);
      expect([again.bind(to), again.send(new Uint8Array(2), to)]).toEqual([0, 2]);
      await settle();
      expect(again.receive()).toMatchObject({ bytes: [0, 0] });
      again.close();
    }
    expect(await end()).toEqual(CLEAN);
  });
});
