import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Dst,
  ERRNO,
  Generation,
  HOOK_FAMILY,
  HOOK_POINT,
  Hook,
  Module,
  PacketPolicy,
  SOCK_FLAG,
  VERDICT,
} from '@softnet/contract';
import { Captures } from '@softnet/nic-driver';
import type { NetHost } from '@softnet/testkit';
import { Net } from '@softnet/testkit';
import { expect, test } from 'vitest';

const { INET, INET6 } = ADDRESS_FAMILY;
const BOTH = Object.freeze(['10.0.0.2', 'fd00::2'] as const);
const PROBE = Uint8Array.of(3, 0, 0, 0);

async function pair(): Promise<{ net: Net; a: NetHost; b: NetHost }> {
  const net = new Net({ seed: 3 });
  const a = await net.host('a');
  const b = await net.host('b');
  const left = { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] };
  await net.join(left, { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] });
  return { net, a, b };
}

const familyOf = (address: string): number => (address.includes(':') ? INET6 : INET);

test('a directed broadcast is for all sockets that share the port', async () => {
  const { net, a, b } = await pair();
  const users = [1, 2, 3].map((n) => {
    const user = b.open({ name: `u${n}`, family: INET });
    user.sock.flags |= SOCK_FLAG.REUSEADDR;
    user.bind('0.0.0.0', 5000);
    return user;
  });
  const sender = a.open({ family: INET });
  sender.sock.flags |= SOCK_FLAG.BROADCAST;
  await net.run(sender.send(Uint8Array.of(1), '10.0.0.255', 5000));
  await net.pass(10);
  const got = users.map((u) => typeof u.tryReceive() !== 'number');
  expect(got).toEqual([true, true, true]);
  await net.dispose();
});

test.each([
  ['10.0.0.2', INET, 0, 10],
  ['fd00::2', INET6, 41, 23],
] as const)('PROBE is not cut %s', async (to, family, level, name) => {
  const { net, a, b } = await pair();
  const rx = b.open({ family });
  rx.bind(family === INET ? '0.0.0.0' : '::', 5000);
  const sender = a.open({ family });
  expect(sender.sock.ops.calls!.setOption(sender.sock, level, name, PROBE)).toBe(0);
  sender.connect(to, 5000);
  expect(sender.trySend(new Uint8Array(3000))).toBe(-ERRNO.EMSGSIZE);
  expect(sender.trySend(new Uint8Array(1400))).toBe(1400);
  await net.pass(10);
  expect(rx.tryReceive()).toMatchObject({ data: { length: 1400 } });
  expect(typeof rx.tryReceive()).toBe('number');
  await net.dispose();
});

test.each(BOTH)('a capture of a device sees what is dropped behind it, %s', async (to) => {
  const { net, a, b } = await pair();
  const sender = a.open({ family: familyOf(to) });
  sender.connect(to, 5000);
  const capture = b.kernel.port(Captures).current.start({ device: b.device('eth0'), write: () => {} }, { name: 'x' });
  await net.run(sender.send(Uint8Array.of(1)));
  await net.pass(10);
  expect(capture.drops).toBe(1);
  await net.dispose();
});

@Module({ name: 'bad-policy', version: '1.0.0', provides: [PacketPolicy] })
class BadPolicy implements SoftnetModule {
  start(ctx: ModuleContext): void {
    ctx.corridor(PacketPolicy, {
      stack: (dst) => dst,
      admit: () => {
        throw new Error('bad');
      },
    });
  }
}

test.each(BOTH)('who throws is quarantined, not the layer that asked it, %s', async (to) => {
  const { net, a, b } = await pair();
  const sender = a.open({ family: familyOf(to) });
  sender.connect(to, 5000);
  await net.run(sender.send(Uint8Array.of(1)));
  await net.pass(10);
  await net.run(b.kernel.load(BadPolicy));
  for (let i = 0; i < 8; i++) {
    sender.trySend(Uint8Array.of(1));
    await net.pass(10);
  }
  await net.pass(100);
  const states = b.kernel
    .modules()
    .filter(({ name }) => ['bad-policy', 'ipv4', 'ipv6'].includes(name))
    .map(({ name, state }) => `${name} ${state}`);
  expect(states.filter((s) => !s.startsWith('bad'))).toEqual(['ipv4 live', 'ipv6 live']);
  await net.dispose();
});

test('a program that throws when it is woken harms nobody else', async () => {
  const { net, a, b } = await pair();
  const rx = b.open({ family: INET });
  rx.bind('0.0.0.0', 5000);
  rx.sock.wake = () => {
    throw new Error('program bug');
  };
  const other = b.open({ family: INET });
  other.bind('0.0.0.0', 6000);
  const sender = a.open({ family: INET });
  sender.connect('10.0.0.2', 5000);
  for (let i = 0; i < 8; i++) {
    sender.trySend(Uint8Array.of(1));
    await net.pass(10);
  }
  expect(b.kernel.modules().map(({ name, state }) => `${name} ${state}`)).toContain('udp live');
  expect(other.ended).toBe(null);
  expect(typeof rx.tryReceive()).toBe('object');
  await net.dispose();
});

/** A hook that sends all packets of a family its own way. */
function chooser(family: number, input: Dst['input']): new () => SoftnetModule {
  @Module({ name: 'chooser', version: '1.0.0', provides: [Hook] })
  class Chooser implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const reason = ctx.dropReason('chooser.chosen', 'went the way that the hook chose');
      const dst = new Dst(new Generation(), (skb) => {
        skb.memory.pool.drop(skb, reason);
        return input(skb);
      });
      const run: Hook['run'] = (skb) => {
        skb.dst = dst;
        return VERDICT.ACCEPT;
      };
      ctx.contribute(Hook, { name: 'chooser', family, point: HOOK_POINT.PREROUTING, priority: 0, reason, run }, 'corridor');
    }
  }
  return Chooser;
}

test.each([
  ['10.0.0.2', HOOK_FAMILY.IPV4],
  ['fd00::2', HOOK_FAMILY.IPV6],
] as const)('a route that a prerouting hook has chosen is taken, %s', async (to, family) => {
  const { net, a, b } = await pair();
  const sender = a.open({ family: familyOf(to) });
  sender.connect(to, 5000);
  sender.trySend(Uint8Array.of(1));
  await net.pass(10);
  let chosen = 0;
  await net.run(b.kernel.load(chooser(family, () => chosen++)));
  sender.trySend(Uint8Array.of(1));
  sender.trySend(Uint8Array.of(1));
  await net.pass(10);
  expect(chosen).toBe(1);
  await net.dispose();
});
