import type { Neighbour, NetDevice, Skb } from '@softnet/contract';
import { Counter, NEIGHBOUR_STATE, NeighbourProtocol } from '@softnet/contract';
import { NeighbourCore } from '../neighbour/neighbour-core.ts';
import type { NeighbourSettings } from '../neighbour/neighbour-settings.ts';
import { FakeKernel, FakeObjects, FakePoint } from './fake-kernel.ts';

export const FAMILY = 2;

/** A protocol that notes what it is told. */
export class FakeProtocol implements NeighbourProtocol {
  readonly family = FAMILY;
  readonly asked: string[] = [];
  failures = 0;
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
    return 30_000;
  }
  retransMs(): number {
    return 1000;
  }
}

/** The core on a kernel that is not there. */
export function bootNeighbours(changes: Partial<NeighbourSettings> = {}) {
  const kernel = new FakeKernel();
  const protocol = new FakeProtocol(kernel);
  const protocols = new FakePoint(NeighbourProtocol);
  protocols.set(protocol);
  const settings: NeighbourSettings = {
    ...{ multicastSolicit: 3, unicastSolicit: 3, delayFirstProbeMs: 5000, queuePackets: 101, queueBytes: 212_992 },
    ...{ collectFrom: 128, hurryFrom: 512, limit: 1024, staleMs: 60_000, collectIntervalMs: 30_000 },
    ...changes,
  };
  const objects = new FakeObjects<Neighbour>('neighbour');
  const { clock, traffic, current, reason } = kernel;
  const core = new NeighbourCore({
    ...{ clock, traffic, current, protocols, objects },
    owner: { name: 'route' },
    settings: () => settings,
    seed: () => 4711,
    timer: kernel.timer,
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
  return { kernel, protocol, protocols, objects, core, device, find, learn };
}
