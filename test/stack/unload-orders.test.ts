import { ADDRESS_FAMILY } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { expect, test } from 'vitest';

/** What is unloaded in every order; the clock for programs stays. */
const NAMES = Object.freeze(['udp', 'ipv4', 'ipv6', 'route', 'socket', 'wire', 'netdev', 'skb'] as const);
/** What nothing of these needs goes first of all, in the one test, and last that it can, in the other. */
const ASIDE = Object.freeze(['loopback', 'pcap'] as const);

/** Somebody at a host who talks to the echo service of the other one. */
interface Talker {
  readonly user: DatagramUser;
  readonly connected: boolean;
  readonly address: string;
}

class Scene {
  readonly net: Net;
  readonly a: NetHost;
  readonly talkers: Talker[] = [];
  #sent = 0;

  private constructor(net: Net, a: NetHost) {
    this.net = net;
    this.a = a;
  }

  static async boot(): Promise<Scene> {
    const net = new Net({ seed: 5 });
    return new Scene(net, await net.host('a'));
  }

  /** A cable to another host, new, with an echo service. */
  async plug(): Promise<void> {
    const b = await this.net.host(`b${this.net.hosts.length}`);
    await this.net.run(b.kernel.load(UdpEchoModule));
    await this.net.join(
      { host: this.a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
      { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
      { delayUs: 200 },
    );
  }

  /** One that is connected, and one that is not, of each family. */
  open(): void {
    for (const [address, family] of [['10.0.0.2', ADDRESS_FAMILY.INET] as const, ['fd00::2', ADDRESS_FAMILY.INET6] as const]) {
      for (const connected of [true, false]) {
        const user = this.a.open({ name: `${address}${connected ? '' : ' by the packet'}`, family });
        user.bind(family === ADDRESS_FAMILY.INET ? '10.0.0.1' : 'fd00::1', 0);
        if (connected) user.connect(address, 7);
        this.talkers.push({ user, connected, address });
      }
    }
  }

  async exchange(talkers: readonly Talker[] = this.talkers): Promise<void> {
    for (const { user, connected, address } of talkers) {
      const data = pattern(2, this.#sent++, 2000);
      await this.net.run(connected ? user.send(data) : user.send(data, address, 7));
      expect(Buffer.compare((await this.net.run(user.receive())).data, data)).toBe(0);
    }
  }

  /** Unloads under traffic: who is inside goes on, until it is known who holds it up, and those let go. */
  async unload(name: string): Promise<void> {
    const { kernel } = this.a;
    const unload = kernel.unload(name);
    await this.net.pass(1);
    while (kernel.module(name) !== undefined) {
      // Those who send by the packet and are not held by what leaves may find no route; who holds it, goes on.
      const names = new Set(kernel.holders(name).map(({ owner }) => owner));
      const holding = this.talkers.filter(({ user }) => names.has(user.name));
      expect(holding.length, `${name} waits for ${JSON.stringify(kernel.holders(name))}`).toBeGreaterThan(0);
      await this.exchange(holding.filter(({ connected }) => connected));
      holding[0]!.user.close();
      this.talkers.splice(this.talkers.indexOf(holding[0]!), 1);
      await this.net.pass(1);
    }
    expect(await this.net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
  }
}

/** All orders in which `names` can be unloaded one by one, by what the kernel says of who needs whom. */
async function ordersOf(names: readonly string[]): Promise<string[][]> {
  const scene = await Scene.boot();
  const { kernel } = scene.a;
  const needs = new Map(names.map((name) => [name, kernel.module(name)!.needs.map((label) => label.replace(/#.*/, ''))]));
  const layers = ['ipv4', 'ipv6'];
  const orders: string[][] = [];
  const walk = (gone: readonly string[]): void => {
    const left = names.filter((name) => !gone.includes(name));
    if (left.length === 0) orders.push([...gone]);
    for (const name of left) {
      const needed = left.some((other) => {
        if (other === name || !needs.get(other)!.includes(name)) return false;
        // udp needs some layer: the last of them.
        return other !== 'udp' || !layers.includes(name) || left.filter((each) => layers.includes(each)).length === 1;
      });
      if (!needed) walk([...gone, name]);
    }
  };
  walk([]);
  await scene.net.dispose();
  return orders;
}

async function goAndComeBack(scene: Scene, order: readonly string[]): Promise<void> {
  const { net, a } = scene;
  await scene.plug();
  scene.open();
  await scene.exchange();
  for (const name of order) await scene.unload(name);
  for (const { user } of scene.talkers.splice(0)) user.close();
  expect(a.kernel.modules().map(({ name }) => name)).toEqual(['kernel-time']);
  for (const source of HOST_STACK.slice(1) as ModuleSource[]) await net.run(a.kernel.load(source));
}

/** One order after the other on one host: it is as new each time, or the next one fails. */
async function goAndComeBackInEach(orders: readonly (readonly string[])[]): Promise<void> {
  const scene = await Scene.boot();
  for (const order of orders) {
    await goAndComeBack(scene, order).catch((error: unknown) => {
      throw new Error(`in the order ${order.join(', ')}: ${String(error)}`, { cause: error });
    });
  }
  await scene.plug();
  scene.open();
  await scene.exchange();
  for (const { user } of scene.talkers.splice(0)) user.close();
  await scene.net.dispose();
}

/** Hosts that are plugged out stay until the end: a few at a time. */
const ORDERS_A_HOST = 12;

test('every order that the requirements allow, under traffic, and loaded again', async () => {
  const orders = await ordersOf(NAMES);
  expect(orders.length).toBeGreaterThan(20);
  expect(new Set(orders.map(String)).size).toBe(orders.length);
  const whole = orders.map((order, i) => {
    if (i % 2 === 0) return [...ASIDE, ...order];
    const last = order.indexOf('netdev');
    return [...order.slice(0, last), ...ASIDE, ...order.slice(last)];
  });
  for (let from = 0; from < whole.length; from += ORDERS_A_HOST) await goAndComeBackInEach(whole.slice(from, from + ORDERS_A_HOST));
}, 300_000);
