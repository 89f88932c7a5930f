import { CubicModule, RenoModule } from '@softnet/congestion';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import type { NodeFaces, NodeOptions } from '@softnet/node';
import { createNode } from '@softnet/node';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { TcpModule } from '@softnet/tcp';
import { QUIET_HOST } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { Passing } from './passing.ts';

/** What a host loads. */
export const HOST_MODULES = [
  ...[SkbModule, NetdevModule, RouteModule, SocketModule, Ipv4Module, Ipv6Module, LoopbackModule],
  ...[UdpModule, RenoModule, CubicModule, TcpModule],
];
/** 8 MB of packet memory instead of 48. */
const LITTLE_MEMORY = { 'net.core.skb_buffers': 2048, 'net.core.skb_pages': 1024 };

/** A host with a loopback in virtual time, which passes by itself while programs of Node's wait for their events. */
export interface SoftHost extends NodeFaces {
  readonly kernel: Kernel;
  /** Virtual ms that pass. */
  pass(ms: number): Promise<void>;
  /** What a shutdown says, which must be nothing. */
  end(): Promise<Ending>;
}

/** Of a kernel that was shut down: {@link CLEAN}. */
export interface Ending {
  readonly faults: readonly string[];
  readonly leaks: readonly unknown[];
  readonly broken: readonly unknown[];
}

export const CLEAN: Ending = Object.freeze({ faults: [], leaks: [], broken: [] });

export async function softHost(options: NodeOptions = {}): Promise<SoftHost> {
  const world = new World({ clock: 'virtual', seed: 5 });
  const kernel = new Kernel({ world, name: 'soft', settings: { ...QUIET_HOST, ...LITTLE_MEMORY } });
  for (const module of HOST_MODULES) await world.run(kernel.load(module));
  const passing = new Passing(world);
  return {
    kernel,
    ...createNode(kernel, options),
    pass: (ms) => passing.pass(ms),
    end: () => passing.end(() => ending(kernel)),
  };
}

/** Shuts it down. */
export async function ending(kernel: Kernel): Promise<Ending> {
  const { faults, leaks, broken } = await kernel.shutdown();
  return { faults: faults.map(({ message }) => message), leaks, broken };
}
