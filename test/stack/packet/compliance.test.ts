import type { NetError, Notice } from '@softnet/contract';
import { POLL, SOCK_TYPE } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import { PacketModule } from '@softnet/packet';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks, NetHost, pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { macOf, PACKET_HOST } from './packet-hosts.ts';
import { frame, PacketUser } from './packet-user.ts';

const MINE = 0x88b5;

/** Who waits for frames. */
class Waiter extends PacketUser {
  #ended: NetError | null = null;
  #waiting: (() => void)[] = [];

  override notice(notice: Notice): void {
    super.notice(notice);
    if (notice.sort === 'closed') this.end(notice.error!);
  }

  end(why: NetError | Error): void {
    this.#ended ??= why as NetError;
    this.#wakeAll();
  }

  async next(): Promise<Uint8Array> {
    this.sock.wake = () => this.#wakeAll();
    while ((this.calls.poll(this.sock) & POLL.IN) === 0) {
      if (this.#ended !== null) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    const seen = this.receive();
    if (typeof seen === 'number') throw new Error(`receive: ${seen}`);
    return seen.bytes;
  }

  #wakeAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Frames there and back by sockets of either type. */
async function frameTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const cable = new Cable({ delayUs: 2000, name: 'cable' });
  const users: Waiter[] = [];
  const devices = [];
  for (const kernel of kernels.slice(0, 2)) {
    const host = new NetHost(kernel);
    devices.push(await host.addDevice('wire', 'eth0', { cable }));
    host.up('eth0');
    const user = new Waiter(kernel, SOCK_TYPE.RAW, MINE);
    user.bind(devices.at(-1)!);
    users.push(user);
  }
  const [near, far] = users as [Waiter, Waiter];
  const [nearMac, farMac] = devices.map(macOf) as [number[], number[]];
  let sent = 0;
  return {
    exchange: async () => {
      sent += 1400;
      const payload = [...pattern(1, sent, 1400)];
      const there = frame(farMac, nearMac, MINE, payload);
      if (near.send(there) !== there.length) throw new Error('not sent');
      expect(await far.next()).toEqual(there);
      const back = frame(nearMac, farMac, MINE, payload);
      if (far.send(back) !== back.length) throw new Error('not sent back');
      expect(await near.next()).toEqual(back);
      return 2 * back.length;
    },
    openAnother: async () => {
      users.push(new Waiter(kernels[0]!, SOCK_TYPE.DGRAM, MINE + 1, 'another'));
    },
    trace: () => sent,
    close: async () => {
      for (const user of users) {
        user.end(new Error('let go'));
        user.close();
      }
    },
  };
}

describe('packet complies', () => {
  const checks = complianceChecks({ source: PacketModule, needs: PACKET_HOST, traffic: frameTraffic });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    await run();
  });
});
