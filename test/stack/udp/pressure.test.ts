import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, MEMORY_PRESSURE, MemoryAccounts, Module, one, SkbPools, SOCK_BUFFER_BYTES } from '@softnet/contract';
import { SkbModule } from '@softnet/skb';
import { describe, expect, test } from 'vitest';
import { CLEAN, udpHost } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const BUFFERS = 80;

/** A host with little memory: fewer buffers than a socket may have waiting. */
async function smallHost(idlePercent?: number) {
  const host = await udpHost();
  const { kernel } = host;
  kernel.sysctl.set('net.core.skb_buffers', BUFFERS);
  if (idlePercent !== undefined) kernel.sysctl.set('net.core.skb_pressure', idlePercent);
  return {
    ...host,
    memory: () => kernel.port(MemoryAccounts).current,
    account: (name: string) => kernel.port(MemoryAccounts).current.open(name),
    idle: () => kernel.port(SkbPools).current.usage()[0]!.buffersIdle,
  };
}

describe('memory pressure', () => {
  test.each([
    [INET, '10.0.0.1:7', '10.0.0.2:9'],
    [INET6, '[2001:db8::1]:7', '[2001:db8::2]:9'],
  ])('who never reads cannot starve others, of family %i', async (family, greedy, modest) => {
    const host = await smallHost();
    const [sender, hog, other] = [host.user(family), host.user(family), host.user(family)];
    expect([hog.bind(greedy), other.bind(modest)]).toEqual([0, 0]);
    for (let i = 0; i < 500; i++) {
      expect(sender.send(new Uint8Array([i]), greedy)).toBe(1);
      if (i % 5 === 0) expect(sender.send(new Uint8Array([i & 0xff, 1]), modest)).toBe(2);
      await host.settle();
      if (i % 5 === 0) expect(other.receive()).toMatchObject({ bytes: [i & 0xff, 1] });
    }
    expect(hog.sock.receiveQueuedBytes).toBeLessThan(SOCK_BUFFER_BYTES);
    expect(host.idle()).toBeGreaterThan(0);
    const { refused, bytes, peakBytes } = host.account('udp');
    expect(bytes).toBe(hog.sock.receiveQueuedBytes);
    expect(peakBytes).toBeGreaterThan(bytes);
    expect(host.drops()).toEqual({ 'udp.pressure': refused.value });
    expect(refused.value).toBeGreaterThan(400);
    // Once he reads, he gets again.
    while (typeof hog.receive() !== 'number');
    expect(host.memory().pressure()).toBe(MEMORY_PRESSURE.NONE);
    sender.send(new Uint8Array([7]), greedy);
    await host.settle();
    expect(hog.receive()).toMatchObject({ bytes: [7] });
    for (const user of [sender, hog, other]) user.close();
    expect(host.account('udp').bytes).toBe(0);
    expect(await host.end()).toEqual(CLEAN);
  });

  test('switched off, he can: so the test above sees a difference', async () => {
    const host = await smallHost(0);
    const [sender, hog] = [host.user(), host.user()];
    hog.bind('10.0.0.1:7');
    for (let i = 0; i < BUFFERS; i++) {
      sender.send(new Uint8Array([i]), '10.0.0.1:7');
      await host.settle();
    }
    expect([host.idle(), sender.send(new Uint8Array(1), '10.0.0.2:9')]).toEqual([0, -ERRNO.ENOBUFS]);
    for (const user of [sender, hog]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('many who never read: each has a little, and what is left over is for who has nothing', async () => {
    const host = await smallHost();
    const sender = host.user();
    const hogs = Array.from({ length: 30 }, (_, i) => {
      const user = host.user();
      user.bind(`10.0.0.1:${100 + i}`);
      return user;
    });
    for (let i = 0; i < 900; i++) {
      sender.send(new Uint8Array([i]), `10.0.0.1:${100 + (i % hogs.length)}`);
      await host.settle();
    }
    expect(hogs.every(({ sock }) => sock.receiveQueuedBytes > 0)).toBe(true);
    expect(host.drops()).toEqual({ 'udp.pressure': host.account('udp').refused.value });
    for (const user of [sender, ...hogs]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });
});

describe('accounts', () => {
  test('have what is sent and not gone yet; what is dropped on the way in is not charged', async () => {
    const host = await smallHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.1:7');
    host.control.hold = true;
    a.send(new Uint8Array(100), '10.0.0.1:7');
    expect(host.account('udp').bytes).toBe(a.sock.sendQueuedBytes);
    expect(host.account('udp').bytes).toBeGreaterThan(2048);
    host.control.spoil = (skb) => {
      skb.memory.bytes[skb.tail - 1]! ^= 1;
      skb.checksum = 0;
    };
    host.control.finish = true;
    host.control.go();
    await host.settle();
    expect([host.drops(), host.account('udp').bytes]).toEqual([{ 'udp.checksum': 1 }, 0]);
    for (const user of [a, b]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('go on when skb is replaced, and feel the pressure of the memory that is there then', async () => {
    const host = await smallHost();
    const [a, b] = [host.user(), host.user()];
    b.bind('10.0.0.1:7');
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) {
        a.send(new Uint8Array([1]), '10.0.0.1:7');
        await host.settle();
      }
    };
    await send(3);
    const before = host.account('udp');
    const { bytes } = before;
    const { drained } = await host.run(host.kernel.replace('skb', SkbModule, { mode: 'drain' }));
    expect(host.account('udp')).toBe(before);
    expect(before.bytes).toBe(bytes);
    await send(100);
    expect(before.refused.value).toBeGreaterThan(10);
    while (typeof b.receive() !== 'number');
    await host.run(drained);
    expect(before.bytes).toBe(0);
    await send(1);
    expect([before.bytes > 0, host.memory().pressure()]).toEqual([true, MEMORY_PRESSURE.NONE]);
    await host.run(host.kernel.replace('skb', SkbModule, { mode: 'drain' }));
    expect(
      host
        .memory()
        .all()
        .map(({ name }) => name),
    ).toEqual(['udp']);
    for (const user of [a, b]) user.close();
    expect(await host.end()).toEqual(CLEAN);
  });

  test('a start that fails takes nothing of them along', async () => {
    const host = await smallHost();
    @Module({ name: 'late', version: '1.0.0', requires: [one(MemoryAccounts)] })
    class Late implements SoftnetModule {
      start(ctx: ModuleContext): void {
        ctx.port(MemoryAccounts).current.open(ctx.name);
        throw new Error('no');
      }
    }
    await expect(host.run(host.kernel.load(Late))).rejects.toThrow('no');
    expect(
      host
        .memory()
        .all()
        .map(({ name, bytes }) => [name, bytes]),
    ).toEqual([
      ['udp', 0],
      ['late', 0],
    ]);
    expect(await host.end()).toEqual(CLEAN);
  });
});
