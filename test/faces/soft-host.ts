import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import type { ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import type { NodeFaces, NodeOptions } from '@softnet/node';
import { createNode } from '@softnet/node';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { QUIET_HOST } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';

/** What a host loads. */
export const HOST_MODULES = [SkbModule, NetdevModule, RouteModule, SocketModule, Ipv4Module, Ipv6Module, LoopbackModule, UdpModule];
/** 8 MB of packet memory instead of 48. */
const LITTLE_MEMORY = { 'net.core.skb_buffers': 2048, 'net.core.skb_pages': 1024 };
/** Virtual time that passes in a turn of the event loop. */
const TURN_US = 200;

/** A host with a loopback in virtual time, which passes by itself while programs of Node's wait for their events. */
export interface SoftHost extends NodeFaces {
  readonly kernel: Kernel;
  /** Virtual ms that pass. */
  pass(ms: number): Promise<void>;
  /** What a shutdown says, which must be nothing. */
  end(): Promise<{ faults: string[]; leaks: readonly unknown[]; broken: readonly unknown[] }>;
}

export async function softHost(more: readonly ModuleSource[] = [], options: NodeOptions = {}): Promise<SoftHost> {
  const world = new World({ clock: 'virtual', seed: 5 });
  const kernel = new Kernel({ world, name: 'soft', settings: { ...QUIET_HOST, ...LITTLE_MEMORY } });
  for (const module of [...HOST_MODULES, ...more]) await world.run(kernel.load(module));
  let runs = true;
  const pump = (async () => {
    while (runs) await world.advance(TURN_US);
  })();
  return {
    kernel,
    ...createNode(kernel, options),
    pass: (ms) => new Promise((resolve) => void kernel.after(ms * 1000, resolve, 'test')),
    end: async () => {
      const { faults, leaks, broken } = await kernel.shutdown();
      runs = false;
      await pump;
      return { faults: faults.map(({ message }) => message), leaks, broken };
    },
  };
}
