import { ADDRESS_FAMILY, Neighbours } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { LeakGuard } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { countProbes, flowsOfBoth, ipv6Of } from './autoconfigured-hosts.ts';
import type { Flows } from './flows.ts';

const { INET6 } = ADDRESS_FAMILY;
const ROUNDS = 100;
/** Of V8's heap over the last half of the rounds: noise. */
const FLAT_BYTES = 1_500_000;

/** A generator of its own, so that a round can be told from its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
}

/** One change of the module, with traffic of both families in its midst. */
type Way = (flows: Flows, host: NetHost) => Promise<void>;

const replace =
  (mode: 'handover' | 'drain'): Way =>
  async (flows, host) => {
    let drained: PromiseLike<{ readonly leaks: readonly string[] }> | null = null;
    await flows.exchange(async () => {
      ({ drained } = await host.kernel.replace('ipv6', Ipv6Module, { mode }));
    }, host);
    await flows.exchange(undefined, host);
    expect((await flows.hosts.net.run(drained!)).leaks).toEqual([]);
  };

/** It leaves; those inside go on, and are named; then it is called back. */
const callBack: Way = async (flows, host) => {
  const { name } = host.kernel;
  const unload = host.kernel.unload('ipv6');
  void unload.report.catch(() => undefined);
  await flows.exchange(undefined, host);
  expect(host.kernel.module('ipv6')?.state).toBe('draining');
  expect(flows.holders(host, 'ipv6')).toEqual(['one', 'server', 'two'].map((user) => `${name}-${user}`));
  expect(() => host.addAddress('eth0', 'fd00:77::1/64')).toThrow();
  await flows.exchange(() => host.kernel.abort('ipv6'), host);
  await flows.hosts.net.run(unload);
};

/** And before its stage 1 is over. A router says farewell meanwhile: nobody is inside it. */
const callBackAtOnce: Way = async (flows, host) => {
  await flows.exchange(async () => {
    const unload = host.kernel.unload('ipv6');
    expect(host.kernel.module('ipv6')?.state).toBe('withdrawing');
    await host.kernel.abort('ipv6');
    await unload;
  }, host);
};

test.each([
  ['a', 21],
  ['r', 22],
] as const)(
  'ipv6 of %s, a hundred times under traffic: no flow loses anything, no address is doubted again (seed %i)',
  async (where, seed) => {
    const guard = LeakGuard.watch();
    const flows = await flowsOfBoth(seed);
    const { net, a, r } = flows.hosts;
    const host = flows.hosts[where];
    const chance = randomOf(seed);
    const ways = [replace('handover'), replace('drain'), ...(where === 'a' ? [callBack, callBackAtOnce] : [])];
    const before = ipv6Of(host);
    const untilMs = ipv6Of(a).untilMs;
    const probes = countProbes(r);
    let halfBytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await ways[chance(ways.length)]!(flows, host);
      expect(ipv6Of(host).words, `round ${round}`).toEqual(before.words);
      // Time for the router to say it again; a default router lives for 12 s.
      await net.pass(chance(600));
      if (round === ROUNDS / 2) halfBytes = heapBytes();
    }
    expect(heapBytes() - halfBytes).toBeLessThan(FLAT_BYTES);
    expect(probes()).toBe(0);
    // What it has of the router goes on, as the router goes on.
    expect(ipv6Of(a).untilMs).toBeGreaterThan(untilMs);
    expect(host.kernel.port(Neighbours).current.entries(INET6).length).toBeGreaterThan(0);
    expect(host.kernel.modules().filter(({ name }) => name === 'ipv6')).toHaveLength(1);
    await flows.end();
    expect(flows.packetsOut).toBe(0);
    const report = await net.run(host.kernel.shutdown());
    expect([report.faults, report.leaks]).toEqual([[], []]);
    await net.dispose();
    expect(await guard.end()).toEqual([]);
  },
  60_000,
);

function heapBytes(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
