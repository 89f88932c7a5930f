import type { NetError, Notice } from '@softnet/contract';
import { ADDRESS_FAMILY, POLL } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import { RawModule } from '@softnet/raw';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks, NetHost, pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { RAW_HOST } from './raw-hosts.ts';
import { RawUser } from './raw-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const MINE = 253;
const IPV4_HEADER_BYTES = 20;

/** Who waits for packets. */
class Waiter extends RawUser {
  #ended: Error | null = null;
  #waiting: (() => void)[] = [];

  notice({ sort, error }: Notice): void {
    if (sort === 'closed') this.end(error as NetError);
  }

  end(why: Error): void {
    this.#ended ??= why;
    this.#wakeAll();
  }

  /** The payload of the next. */
  async next(): Promise<number[]> {
    this.sock.wake = () => this.#wakeAll();
    while ((this.calls.poll(this.sock) & POLL.IN) === 0) {
      if (this.#ended !== null) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    const seen = this.receive();
    if (typeof seen === 'number') throw new Error(`receive: ${seen}`);
    return this.sock.family === INET ? seen.bytes.slice(IPV4_HEADER_BYTES) : seen.bytes;
  }

  #wakeAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Packets there and back by a socket of either family. */
async function rawTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const cable = new Cable({ delayUs: 2000, name: 'cable' });
  for (const [i, kernel] of kernels.slice(0, 2).entries()) {
    const host = new NetHost(kernel);
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
    host.addAddress('eth0', `fd00::${i + 1}/64`);
  }
  const pairs = [
    [INET, '10.0.0.1:0', '10.0.0.2:0'],
    [INET6, '[fd00::1]:0', '[fd00::2]:0'],
  ].map(([family, here, there]) => {
    const [near, far] = [new Waiter(kernels[0]!, family as number, MINE), new Waiter(kernels[1]!, family as number, MINE)] as const;
    far.bind(there as string);
    near.connect(there as string);
    return [near, far, here as string] as const;
  });
  const others: Waiter[] = [];
  let sent = 0;
  return {
    exchange: async () => {
      let count = 0;
      for (const [near, far, here] of pairs) {
        sent += 1200;
        const payload = [...pattern(1, sent, 1200)];
        if (near.send(payload) !== payload.length) throw new Error('not sent');
        expect(await far.next()).toEqual(payload);
        if (far.send(payload, here) !== payload.length) throw new Error('not sent back');
        expect(await near.next()).toEqual(payload);
        count += 2 * payload.length;
      }
      return count;
    },
    openAnother: async () => {
      others.push(new Waiter(kernels[0]!, INET, MINE + 1, 'another'));
    },
    trace: () => sent,
    close: async () => {
      for (const user of [...pairs.flatMap((pair) => pair.slice(0, 2) as Waiter[]), ...others]) {
        user.end(new Error('let go'));
        user.close();
      }
    },
  };
}

describe('raw complies', () => {
  const checks = complianceChecks({ source: RawModule, needs: RAW_HOST, traffic: rawTraffic });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    await run();
  });
});
