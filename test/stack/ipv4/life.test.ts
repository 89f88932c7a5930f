import { Ipv4Module } from '@softnet/ipv4';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import type { DatagramUser, Traffic } from '@softnet/testkit';
import { complianceChecks, KernelTime, NetHost, pattern } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { describe, expect, test } from 'vitest';
import { IPV4_STACK } from './raw-link.ts';

const INET = 2;
const NEEDS = IPV4_STACK.filter((source) => source !== Ipv4Module && source !== UdpModule);

/** Ping sockets of the first kernel, whose requests are cut on the way, put together by the second kernel, and likewise back. */
async function pingTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = [new NetHost(kernels[0]!), new NetHost(kernels[1]!)];
  const cable = new Cable({ delayUs: 100 });
  for (const [i, host] of [a, b].entries()) {
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
  }
  const users: DatagramUser[] = [];
  const openAnother = async (): Promise<void> => {
    const user = a.open({ name: `user${users.length}`, family: INET, protocol: 1 });
    try {
      user.connect('10.0.0.2', 0);
    } catch (error) {
      user.close();
      throw error;
    }
    users.push(user);
  };
  await openAnother();
  await openAnother();
  let sent = 0;
  return {
    exchange: async () => {
      let moved = 0;
      for (const user of users) {
        const request = pattern(7, sent++, 4000);
        request.set([8, 0, 0, 0, 0, 0, 0, 0]);
        await user.send(request);
        const { data } = await user.receive();
        expect(data[0]).toBe(0);
        expect(Buffer.compare(data.subarray(8), request.subarray(8))).toBe(0);
        moved += data.length;
      }
      return moved;
    },
    openAnother,
    close: async () => {
      for (const user of users) user.close();
      await a.kernel.port(KernelTime).current.sleepUs(1000);
    },
  };
}

/** Ping sockets are not frozen: with one open, ipv4 is replaced by draining. */
const NOT_APPLICABLE = ['it goes at once', 'parked objects are silent, and live again', 'replace by hand-over', 'code is collected'];

describe('ipv4 complies', () => {
  test.each(complianceChecks({ source: Ipv4Module, needs: NEEDS, traffic: pingTraffic }))('$name', async ({ name, run }) => {
    const { applies, sentence } = await run();
    expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
  });
});
