import type { Neighbour, NetDevice, Skb } from '@softnet/contract';
import { Counter, NEIGHBOUR_STATE, NeighbourListener, NeighbourProtocol } from '@softnet/contract';
import { NeighbourCore } from '../neighbour/neighbour-core.ts';
import type { ProxyAddress } from '../neighbour/neighbour-proxies.ts';
import { NeighbourProxies } from '../neighbour/neighbour-proxies.ts';
import type { NeighbourConfName, NeighbourSettings } from '../neighbour/neighbour-settings.ts';
import { FakeKernel, FakeObjects, FakePoint } from './fake-kernel.ts';

export const FAMILY = 2;

/** A protocol that notes what it is told. */
export class FakeProtocol implements NeighbourProtocol {
  readonly family = FAMILY;
  readonly asked: string[] = [];
  failures = 0;
  /** ms; 0: as the settings have it. */
  reachable = 0;
  retrans = 0;
  beginState: number = NEIGHBOUR_STATE.NONE;
  readonly #kernel: FakeKernel;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }
  begin(): number {
    return this.beginState;
  }
  solicit(neighbour: Neighbour, skb: Skb | null): void {
    const how = neighbour.state === NEIGHBOUR_STATE.PROBE ? 'unicast' : 'multicast';
    this.asked.push(`${how} at ${this.#kernel.nowUs / 1000 - 1000}${skb === null ? '' : ` for ${skb.memory.bytes[skb.data]}`}`);
  }
  failed(_neighbour: Neighbour, skb: Skb): void {
    this.failures++;
    skb.memory.pool.release(skb);
  }
  reachableMs(): number {
    return this.reachable;
  }
  retransMs(): number {
    return this.retrans;
  }
}

type TableSettings = Omit<NeighbourSettings, 'value'>;

/** The core on a kernel that is not there. Times are not drawn by lot: `fraction` says where between half and one and a half. */
export function bootNeighbours(changes: Partial<TableSettings & Record<NeighbourConfName, number>> = {}, fraction = 0.5) {
  const kernel = new FakeKernel();
  const protocol = new FakeProtocol(kernel);
  const protocols = new FakePoint(NeighbourProtocol);
  const listeners = new FakePoint(NeighbourListener);
  protocols.set(protocol);
  const values = {
    ...{ mcast_solicit: 3, ucast_solicit: 3, delay_first_probe_time: 5, base_reachable_time_ms: 30_000, retrans_time_ms: 1000 },
    ...{ gc_stale_time: 60, unres_qlen: 101, unres_qlen_bytes: 212_992, locktime: 0 },
    ...changes,
  };
  const settings: NeighbourSettings = {
    ...{ collectFrom: 128, hurryFrom: 512, limit: 1024, collectIntervalMs: 30_000, waitingPackets: 2048 },
    ...changes,
    value: (_ifindex, name) => values[name],
  };
  const objects = new FakeObjects<Neighbour>('neighbour');
  const owner = { name: 'route' };
  const { clock, traffic, current, reason } = kernel;
  const visited = new Counter('visited');
  const core: NeighbourCore = new NeighbourCore({
    ...{ clock, traffic, current, protocols, listeners, objects, owner, visited },
    proxies: new NeighbourProxies({ owner, objects: new FakeObjects<ProxyAddress>('proxy'), seed: 1, told: () => {} }),
    settings: () => settings,
    random: { u32: () => 4711, fraction: () => fraction },
    timer: kernel.timer,
    present: () => core,
    listenerFailed: () => {},
    collected: new Counter('collected'),
    reasons: {
      queueFull: reason('neighbour.queue-full', ''),
      gone: reason('neighbour.gone', ''),
      noRoom: reason('neighbour.no-room', ''),
      tableFull: reason('neighbour.table-full', ''),
    },
  });
  const device = kernel.plug('eth0');
  const find = (last: number, on: NetDevice = device) => core.find(on, FAMILY, 0, 0, 0xffff, last);
  const learn = (last: number, mac: number, bits: number) =>
    core.learn(device, FAMILY, 0, 0, 0xffff, last, Uint8Array.of(9, 2, 0, 0, 0, 0, mac), 1, bits);
  return { kernel, protocol, protocols, listeners, objects, visited, values, core, device, find, learn };
}
