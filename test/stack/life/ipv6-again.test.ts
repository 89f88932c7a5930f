import { ADDRESS_FAMILY, ADDRESS_FLAG, NEIGHBOUR_STATE, Neighbours, Route } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { LeakGuard } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';
import { expect, test } from 'vitest';
import { G, ints, join, set } from '../ipv6/group-values.ts';
import { countProbes, flowsOfBoth, ipv6Addresses, ipv6Of } from './autoconfigured-hosts.ts';
import type { Flows } from './flows.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const ROUNDS = 100;
const SEED = 31;
const GROUP = 'ff05::1:3';

/** Those that are not by chance. */
function stableOnes(host: NetHost): string[] {
  const stable = ipv6Addresses(host).filter(({ flags }) => (flags & ADDRESS_FLAG.TEMPORARY) === 0);
  return stable.map(({ address, flags }) => `${formatIpv6(...address)} ${flags}`).sort();
}

function conflicts(host: NetHost): number {
  return host.kernel.counters().reduce((sum, { name, value }) => sum + (name.endsWith('address-conflicts') ? value : 0), 0);
}

/** It leaves, held up by its flows, which go on; it is loaded again beside itself, and the old one goes as they go by the new one. */
async function beside(flows: Flows, a: NetHost): Promise<void> {
  const { net } = flows.hosts;
  const unload = a.kernel.unload('ipv6');
  void unload.report.catch(() => undefined);
  await flows.exchange(undefined, 'all');
  expect(flows.holders(a, 'ipv6')).toEqual(['a-one', 'a-server', 'a-two']);
  await flows.exchange(() => a.kernel.load(Ipv6Module), 'all');
  // Each goes by the new one at its next packet.
  await flows.exchange();
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
}

/** It leaves, held up by its flows, which go on; they end, and it is gone; it is loaded again. All the while IPv4 goes on. */
async function again(flows: Flows, a: NetHost, before: readonly string[]): Promise<void> {
  const { net, b } = flows.hosts;
  const unload = a.kernel.unload('ipv6');
  void unload.report.catch(() => undefined);
  await flows.exchange(undefined, a);
  expect(flows.holders(a, 'ipv6')).toEqual(['a-one', 'a-server', 'a-two']);
  for (const host of [a, b]) flows.close(host, INET6);
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
  await flows.exchange(() => a.kernel.load(Ipv6Module), 'all');
  await net.pass(2000);
  await net.run(a.addressesSettled());
  expect(stableOnes(a)).toEqual(before);
  for (const host of [a, b]) await flows.reopen(host, INET6);
  await flows.exchange();
}

test(`ipv6 of a host is unloaded and loaded again a hundred times under traffic: its addresses come back, and nobody doubts them (seed ${SEED})`, async () => {
  const guard = LeakGuard.watch();
  const flows = await flowsOfBoth(SEED);
  const { net, a, r, b } = flows.hosts;
  const before = stableOnes(a);
  const routes = (): number => a.kernel.port(Route).current.entries(INET6).length;
  const count = routes();
  const probes = countProbes(r);
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 4 === 3) await again(flows, a, before);
    else {
      const [words, probed] = [ipv6Of(a).words, probes()];
      await beside(flows, a);
      // Temporary addresses too; and what it has, it is not asked about again.
      expect([ipv6Of(a).words, probes()], `round ${round}`).toEqual([words, probed]);
    }
    expect([routes(), conflicts(a), conflicts(r), conflicts(b)], `round ${round}`).toEqual([count, 0, 0, 0]);
  }
  await flows.end();
  expect(flows.packetsOut).toBe(0);
  await net.dispose();
  expect(await guard.end()).toEqual([]);
}, 60_000);

test('in a generation that drains nobody is new; neighbours, routers, lifetimes of addresses and path MTUs go on', async () => {
  const flows = await flowsOfBoth(SEED);
  const { net, a, r, b } = flows.hosts;
  const { kernel } = a;
  const unload = kernel.unload('ipv6');
  void unload.report.catch(() => undefined);
  expect(() => a.open({ family: INET6 })).toThrow('EAFNOSUPPORT');
  expect(() => a.addAddress('eth0', 'fd00:77::1/64')).toThrow('EAFNOSUPPORT');
  await expect(a.ping('2001:db8:0:2::1')).rejects.toThrow('EAFNOSUPPORT');
  a.open({ family: INET }).close();
  const before = ipv6Of(a).untilMs;
  const stateOf = (): number[] =>
    kernel
      .port(Neighbours)
      .current.entries(INET6)
      .filter(({ isRouter }) => isRouter)
      .map(({ state }) => state);
  // Ten times what a default router lives for, and three times an address.
  await net.pass(120_000);
  expect(ipv6Of(a).untilMs).toBeGreaterThan(before + 100_000);
  expect(stateOf()).toEqual([NEIGHBOUR_STATE.STALE]);
  await flows.exchange(undefined, 'all');
  await net.pass(6000);
  expect(stateOf()).toEqual([NEIGHBOUR_STATE.REACHABLE]);
  for (const [host, device] of [
    [r, 'eth1'],
    [b, 'eth0'],
  ] as const)
    host.setMtu(device, 1300);
  for (const user of flows.users) user.trySend(new Uint8Array(1380));
  await net.pass(50);
  const mtus = kernel
    .port(Route)
    .current.exceptions(INET6)
    .map(({ mtuBytes }) => mtuBytes);
  expect(mtus).toContain(1300);
  expect(kernel.module('ipv6')?.state).toBe('draining');
  for (const host of [a, b]) flows.close(host, INET6);
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
  await flows.end();
  await net.dispose();
});

test('a dual-stack socket keeps both halves and its group while ipv6 drains, and beside the next one', async () => {
  const flows = await flowsOfBoth(SEED);
  const { net, a, r } = flows.hosts;
  const stable = ipv6Addresses(a).find(({ address, flags }) => address[0] === 0x20010db8 && (flags & ADDRESS_FLAG.TEMPORARY) === 0)!;
  const dual = a.open({ family: INET6 });
  dual.bind('::', 9);
  join(dual, GROUP, a.device('eth0').ifindex);
  const [four, six] = [r.open({ family: INET }), r.open({ family: INET6 })];
  set(six, G.MULTICAST_IF, ints(r.device('eth0').ifindex));
  const heard = async (): Promise<readonly number[]> => {
    four.trySend(Uint8Array.of(4), '10.0.1.2', 9);
    six.trySend(Uint8Array.of(6), formatIpv6(...stable.address), 9);
    six.trySend(Uint8Array.of(60), GROUP, 9);
    await net.pass(10);
    const all: number[] = [];
    for (let got = dual.tryReceive(); typeof got !== 'number'; got = dual.tryReceive()) all.push(got.data[0]!);
    return all.sort((x, y) => x - y);
  };
  const both = [4, 6, 60];
  expect(await heard()).toEqual(both);
  const unload = a.kernel.unload('ipv6');
  void unload.report.catch(() => undefined);
  // Longer than a querier takes a member for gone.
  await net.pass(300_000);
  expect([a.kernel.module('ipv6')?.state, await heard()]).toEqual(['draining', both]);
  await net.run(a.kernel.load(Ipv6Module));
  await net.pass(1);
  expect([a.kernel.module('ipv6')?.state, await heard()]).toEqual(['live', both]);
  await flows.exchange();
  dual.trySend(Uint8Array.of(1), formatIpv6(...stable.address), 10);
  dual.close();
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  await flows.end();
  await net.dispose();
});

test.each([0, 1])(
  'all that routers said goes with it, with %i generations before it: addresses, default routers, prefixes on the link',
  async (times) => {
    const flows = await flowsOfBoth(SEED);
    const { net, a } = flows.hosts;
    flows.close(a, INET6);
    for (let i = 0; i < times; i++) await net.run((await net.run(a.kernel.replace('ipv6', Ipv6Module))).drained);
    await net.pass(1);
    expect(await net.run(a.kernel.unload('ipv6'))).toMatchObject({ outcome: 'gone', leaks: [], broken: [] });
    expect(a.kernel.port(Route).current.entries(INET6)).toEqual([]);
    expect(a.kernel.sysctl.list('net.ipv6.conf')).toEqual([]);
    await flows.end();
    await net.dispose();
  },
);
