import type { DeferredHolds } from '@softnet/contract';
import { ADDRESS_FAMILY, NetworkLayer } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { User } from './host.ts';
import { CLEAN, nobody } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const hello = Uint8Array.of(1, 2, 3);

type Host = Awaited<ReturnType<typeof realHost>>;

/** How many hold it, without a list: that would have them take their holds. */
const holdsOf = ({ kernel }: Host, name: string): number => kernel.module(name)!.usage.holds;
const phaseOf = ({ kernel }: Host): string | undefined => kernel.module('ipv4')?.state;

function bound(host: Host, port: number): User {
  const user = host.user();
  expect(user.bind(`127.0.0.1:${port}`)).toBe(0);
  return user;
}

test('who is bound holds his layer without an object, until somebody asks', async () => {
  const host = await realHost();
  const users = [1, 2, 3].map((port) => bound(host, port));
  expect([holdsOf(host, 'ipv4'), users.map(({ sock }) => sock.dst)]).toEqual([3, [null, null, null]]);
  expect(host.kernel.holders('ipv4').map(({ place, sort }) => `${place} ${sort}`)).toEqual(new Array(3).fill('udp.bind derived'));
  expect([holdsOf(host, 'ipv4'), users.every(({ sock }) => sock.dst?.holdNext !== null)]).toEqual([3, true]);
  users.push(bound(host, 4));
  expect(holdsOf(host, 'ipv4')).toBe(4);
  for (const user of users) user.close();
  expect(holdsOf(host, 'ipv4')).toBe(0);
  expect(await host.end()).toEqual(CLEAN);
});

test('he is told that it leaves, and it waits for him, though nobody has asked', async () => {
  const host = await realHost();
  const [user, other] = [bound(host, 7), host.user(INET6)];
  expect(other.bind('[::1]:7')).toBe(0);
  const unload = host.kernel.unload('ipv4');
  await host.settle();
  expect([user.notices, other.notices, phaseOf(host)]).toEqual([['leaving ipv4#1'], [], 'draining']);
  user.close();
  expect((await host.run(unload)).outcome).toBe('gone');
  other.close();
  expect(await host.end()).toEqual(CLEAN);
});

test('nobody is left when all have closed: it goes at once, and knows of nobody', async () => {
  const host = await realHost();
  const { uses } = host.kernel.contributions(NetworkLayer).items.find(({ family }) => family === INET)!;
  const known = new Set<DeferredHolds>();
  const { defer, recall } = uses;
  uses.defer = (holds) => {
    known.add(holds);
    defer!.call(uses, holds);
  };
  uses.recall = (holds) => {
    known.delete(holds);
    recall!.call(uses, holds);
  };
  const user = bound(host, 9);
  expect(known.size).toBe(1);
  user.close();
  expect(known.size).toBe(0);
  for (const user of [bound(host, 7), bound(host, 8)]) user.close();
  expect((await host.run(host.kernel.unload('ipv4'))).outcome).toBe('gone');
  expect(await host.end()).toEqual(CLEAN);
});

test('by force it takes those who are bound along', async () => {
  const host = await realHost();
  const user = bound(host, 7);
  const { broken } = await host.run(host.kernel.unload('ipv4', { force: true }));
  expect([broken.map(({ description }) => description), user.notices.at(-1)]).toEqual([['udp 127.0.0.1:7 ← *'], 'closed udp#1']);
  expect(await host.end()).toEqual(CLEAN);
});

test.each(['handover', 'drain'] as const)('replaced by %s, he holds the next one, and hears by it', async (mode) => {
  const host = await realHost();
  const [user, sender] = [bound(host, 7), host.user()];
  await host.run(host.kernel.replace('ipv4', Ipv4Module, { mode }));
  await host.settle();
  const [layer] = host.kernel.contributions(NetworkLayer).items.filter(({ family }) => family === INET);
  expect([user.sock.layer === layer, holdsOf(host, 'ipv4')]).toEqual([true, 1]);
  expect(sender.send(hello, '127.0.0.1:7')).toBe(3);
  await host.settle();
  expect(user.receive()).toMatchObject({ bytes: [...hello] });
  const unload = host.kernel.unload('ipv4');
  await host.settle();
  expect(phaseOf(host)).toBe('draining');
  for (const each of [user, sender]) each.close();
  expect((await host.run(unload)).outcome).toBe('gone');
  expect(await host.end()).toEqual(CLEAN);
});

test('whatever is bound, connected, disconnected and closed, as many hold each layer as should (property)', async () => {
  const host = await realHost();
  const step = fc.tuple(fc.constantFrom('bind', 'connect', 'disconnect', 'send', 'close', 'list'), fc.nat(5), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const users = new Map<number, User>();
      for (const [what, at, isIpv6] of steps) {
        const user = users.get(at) ?? host.user(isIpv6 ? INET6 : INET);
        users.set(at, user);
        const here = user.sock.family === INET6 && at !== 5 ? '[::1]' : user.sock.family === INET6 ? '[::ffff:127.0.0.1]' : '127.0.0.1';
        if (what === 'bind') user.bind(`${here}:${at === 4 ? 9 : 0}`);
        else if (what === 'connect') user.connect(`${here}:9`);
        else if (what === 'disconnect') user.calls.connect(user.sock, nobody);
        else if (what === 'send') user.send(hello, `${here}:9`);
        else if (what === 'list') host.kernel.holders();
        else {
          user.close();
          users.delete(at);
        }
        for (const [name, family] of [
          ['ipv4', INET],
          ['ipv6', INET6],
        ] as const) {
          const held = [...users.values()].filter(({ sock }) => sock.localPort !== 0 && sock.layer?.family === family);
          expect(holdsOf(host, name)).toBe(held.length);
        }
      }
      for (const user of users.values()) user.close();
      expect([holdsOf(host, 'ipv4'), holdsOf(host, 'ipv6')]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
  expect(await host.end()).toEqual(CLEAN);
});
