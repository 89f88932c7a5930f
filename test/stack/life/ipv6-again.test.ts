import { ADDRESS_FAMILY, ADDRESS_FLAG, Route } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { LeakGuard } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';
import { expect, test } from 'vitest';
import { flowsOfBoth, ipv6Addresses } from './autoconfigured-hosts.ts';
import type { Flows } from './flows.ts';

const { INET6 } = ADDRESS_FAMILY;
const ROUNDS = 100;
const SEED = 31;

/** Those that are not by chance. */
function stableOnes(host: NetHost): string[] {
  const stable = ipv6Addresses(host).filter(({ flags }) => (flags & ADDRESS_FLAG.TEMPORARY) === 0);
  return stable.map(({ address, flags }) => `${formatIpv6(...address)} ${flags}`).sort();
}

function conflicts(host: NetHost): number {
  return host.kernel.counters().reduce((sum, { name, value }) => sum + (name.endsWith('address-conflicts') ? value : 0), 0);
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
  for (let round = 0; round < ROUNDS; round++) {
    await again(flows, a, before);
    expect([routes(), conflicts(a), conflicts(r), conflicts(b)], `round ${round}`).toEqual([count, 0, 0, 0]);
  }
  await flows.end();
  expect(flows.packetsOut).toBe(0);
  await net.dispose();
  expect(await guard.end()).toEqual([]);
}, 60_000);

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
