import { ADDRESS_FAMILY } from '@softnet/contract';
import { UdpEchoModule, UdpModule } from '@softnet/udp';
import { setSrcPort } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { CLEAN, udpHost } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const hello = new TextEncoder().encode('hello');

describe('the echo service', () => {
  async function echoed(host: Awaited<ReturnType<typeof udpHost>>, family: number, to: string) {
    const user = host.user(family);
    user.send(
      Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff),
      to,
    );
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
