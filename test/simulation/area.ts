import type { ModuleClass, ModuleContext, NextHop, RouteEdit, RouteEntry, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceListener, IPV4_WORD2, isRunning, Module, one, ROUTE_TYPE, RouteTables } from '@softnet/contract';

/** RTPROT_OSPF. */
const OSPF = 188;
/** From a change of a link to new routes: what flooding and a calculation take. */
export const CONVERGENCE_US = 50_000;

/** An end of a link between routers: how the one reaches the other. */
export interface Adjacency {
  readonly to: number;
  readonly link: number;
  readonly ifindex: number;
  /** The other's address, int32. */
  readonly gateway: number;
}

/**
 * What all routers know of one another, as a link-state protocol would have flooded it: a link is there while both of its ends run.
 * Their daemons are told of each change and calculate for themselves.
 */
export class Area {
  readonly adjacencies: Adjacency[][] = [];
  /** Ends that run, of each link: 2, and it is there. */
  readonly endsUp: number[] = [];
  readonly #daemons: (() => void)[] = [];

  /** The daemon of a router: a stranger's module that keeps its routes to the others' hosts. */
  daemonOf(router: number): ModuleClass {
    const area = this;
    class Daemon {
      start(ctx: ModuleContext): void {
        const tables = ctx.port(RouteTables);
        const installed = new Map<number, RouteEntry>();
        const timer: Timer = ctx.timer(
          () => area.#calculate(router, installed, (edits) => tables.current.apply(edits)),
          undefined,
          'daemon.spf',
        );
        const running = new Map<number, boolean>();
        area.#daemons.push(() => timer.arm(CONVERGENCE_US));
        const deviceChanged: DeviceListener['deviceChanged'] = (device) => {
          const adjacency = area.adjacencies[router]!.find(({ ifindex }) => ifindex === device.ifindex);
          const runs = isRunning(device);
          if (adjacency === undefined || runs === (running.get(device.ifindex) ?? false)) return;
          running.set(device.ifindex, runs);
          area.endsUp[adjacency.link]! += runs ? 1 : -1;
          for (const tell of area.#daemons) tell();
        };
        ctx.contribute(DeviceListener, { deviceChanged }, 'corridor');
      }
    }
    Module({ name: 'daemon', version: '1.0.0', requires: [one(RouteTables)], provides: [DeviceListener] })(Daemon);
    return Daemon;
  }

  isUp(link: number): boolean {
    return this.endsUp[link] === 2;
  }

  /** Whether all can reach all without a link. */
  isConnectedWithout(link: number): boolean {
    const { distances } = this.#shortestPaths(0, link);
    return distances.every(Number.isFinite);
  }

  /** What has changed only. Routers of equal distance by several ways get all of them. */
  #calculate(router: number, installed: Map<number, RouteEntry>, apply: (edits: readonly RouteEdit[]) => void): void {
    const { distances, firstHops } = this.#shortestPaths(router, -1);
    const edits: RouteEdit[] = [];
    for (let to = 0; to < this.adjacencies.length; to++) {
      if (to === router) continue;
      const before = installed.get(to);
      const nextHops = Number.isFinite(distances[to]) ? firstHops[to]!.map(hopOf) : [];
      if (before !== undefined && isSame(before.nextHops, nextHops)) continue;
      if (nextHops.length === 0) {
        if (before !== undefined) edits.push({ change: 'remove', entry: before });
        installed.delete(to);
        continue;
      }
      const entry = entryOf(to, nextHops);
      edits.push({ change: before === undefined ? 'add' : 'replace', entry });
      installed.set(to, entry);
    }
    if (edits.length > 0) apply(edits);
  }

  /** Breadth first: each link costs the same. */
  #shortestPaths(from: number, without: number): { distances: number[]; firstHops: Adjacency[][] } {
    const distances = this.adjacencies.map(() => Number.POSITIVE_INFINITY);
    const firstHops: Adjacency[][] = this.adjacencies.map(() => []);
    distances[from] = 0;
    const queue = [from];
    for (const at of queue) {
      for (const adjacency of this.adjacencies[at]!) {
        const { to, link } = adjacency;
        if (!this.isUp(link) || link === without) continue;
        if (distances[to] === Number.POSITIVE_INFINITY) queue.push(to);
        if (distances[at]! + 1 > distances[to]!) continue;
        distances[to] = distances[at]! + 1;
        const more = at === from ? [adjacency] : firstHops[at]!;
        firstHops[to] = [...new Set([...firstHops[to]!, ...more])];
      }
    }
    return { distances, firstHops };
  }
}

/** 10.TO.0.0/16: a router's hosts. */
function entryOf(to: number, nextHops: readonly NextHop[]): RouteEntry {
  const prefix = [0, 0, IPV4_WORD2, (10 << 24) | (to << 16)] as const;
  return { family: ADDRESS_FAMILY.INET, prefix, prefixLen: 16, type: ROUTE_TYPE.UNICAST, source: OSPF, nextHops };
}

function hopOf({ ifindex, gateway }: Adjacency): NextHop {
  return { ifindex, gateway: { family: ADDRESS_FAMILY.INET, address: [0, 0, IPV4_WORD2, gateway] } };
}

function isSame(a: readonly NextHop[], b: readonly NextHop[]): boolean {
  const key = (hops: readonly NextHop[]): string =>
    hops
      .map(({ ifindex }) => ifindex)
      .sort((x, y) => x - y)
      .join();
  return key(a) === key(b);
}
