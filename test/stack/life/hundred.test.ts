import { ADDRESS_FAMILY, Devices, Neighbours, Route } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import type { ModuleSource } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import type { NetHost } from '@softnet/testkit';
import { LeakGuard } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { Flows } from './flows.ts';

const { INET } = ADDRESS_FAMILY;
const ROUNDS = 100;
/** Of V8's heap over the last half of the rounds: noise. */
const FLAT_BYTES = 1_500_000;

const MODULES: Readonly<Record<string, ModuleSource>> = { ipv4: Ipv4Module, route: RouteModule };

/** A generator of its own, so that a round can be told from its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
}

/** Whose sockets go by the layer. */
const usersOf = (host: NetHost): string[] => ['one', 'server', 'two'].map((name) => `${host.kernel.name}-${name}`);

/** What else happens while a module leaves or is replaced. @param tables whether routes can be changed. */
type Disturbance = (host: NetHost, round: number, tables: boolean) => Promise<void>;

const DISTURBANCES: readonly Disturbance[] = [
  async () => {},
  async (host) => host.kernel.port(Route).current.changed(),
  async (host, round) => {
    await host.addDevice('wire', `tmp${round}`, { cable: new Cable() });
    host.up(`tmp${round}`);
    host.kernel.port(Devices).current.remove(host.device(`tmp${round}`));
  },
  async (host, round, tables) => {
    if (!tables) return;
    const way = { dev: 'eth0' };
    host.addRoute(`192.0.2.${round % 250}/32`, way);
    host.removeRoute(`192.0.2.${round % 250}/32`, way);
  },
];

/** One change of the module, with traffic in its midst. */
type Way = (flows: Flows, host: NetHost, module: string, disturb: (tables: boolean) => Promise<void>) => Promise<void>;

const replace =
  (mode: 'handover' | 'drain'): Way =>
  async (flows, host, module, disturb) => {
    const { net } = flows.hosts;
    let drained: PromiseLike<{ readonly leaks: readonly string[] }> | null = null;
    await flows.exchange(async () => {
      ({ drained } = await host.kernel.replace(module, MODULES[module]!, { mode }));
      await disturb(true);
    }, host);
    // Whoever goes by the old one asks the new one at his next packet: it goes.
    await flows.exchange(undefined, host);
    expect((await net.run(drained!)).leaks).toEqual([]);
  };

/** It leaves, with those that need it; those inside go on, and are named; then it is called back. */
const callBack: Way = async (flows, host, module, disturb) => {
  const { net } = flows.hosts;
  const unload = host.kernel.unload(module, { cascade: module === 'route' });
  void unload.report.catch(() => undefined);
  await flows.exchange(() => disturb(false), host);
  expect(host.kernel.module(module)?.state).toBe('draining');
  expect(() => host.addRoute('192.0.2.1/32', { dev: 'eth0' })).toThrow(
    module === 'route' ? /EAFNOSUPPORT|ESHUTDOWN/ : /EAFNOSUPPORT: .*its layer is leaving/,
  );
  expect(flows.holders(host, 'ipv4')).toEqual(usersOf(host));
  expect(() => host.addAddress('eth0', '10.0.77.1/24')).toThrow();
  await flows.exchange(() => host.kernel.abort(module), host);
  await net.run(unload);
};

test.each([
  ['ipv4', 'a', 11],
  ['ipv4', 'r', 12],
  ['route', 'a', 13],
  ['route', 'r', 14],
] as const)(
  '%s of %s, a hundred times under traffic: no flow loses anything, and nothing is left (seed %i)',
  async (module, where, seed) => {
    const guard = LeakGuard.watch();
    const flows = await Flows.begin({ seed });
    const { net } = flows.hosts;
    const host = flows.hosts[where];
    const chance = randomOf(seed);
    // Nobody's socket goes by the router's layer: it would go at once. Owners of tables are replaced by hand-over.
    const ways = [replace('handover'), ...(module === 'ipv4' ? [replace('drain')] : []), ...(where === 'a' ? [callBack] : [])];
    const routes = (): unknown => host.kernel.port(Route).current.entries(INET);
    const before = routes();
    let halfBytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const disturbance = DISTURBANCES[chance(DISTURBANCES.length)]!;
      await ways[chance(ways.length)]!(flows, host, module, (tables) => disturbance(host, round, tables));
      expect(routes(), `round ${round}`).toEqual(before);
      if (round === ROUNDS / 2) halfBytes = heapBytes();
    }
    expect(heapBytes() - halfBytes).toBeLessThan(FLAT_BYTES);
    expect(host.kernel.port(Neighbours).current.entries(INET).length).toBeGreaterThan(0);
    expect(host.kernel.modules().filter(({ name }) => name === module)).toHaveLength(1);
    await flows.end();
    expect(flows.packetsOut).toBe(0);
    const report = await net.run(host.kernel.shutdown());
    expect([report.faults, report.leaks, report.broken]).toEqual([[], [], []]);
    await net.dispose();
    expect(await guard.end()).toEqual([]);
  },
  // Seconds, where nothing else runs.
  60_000,
);

function heapBytes(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
