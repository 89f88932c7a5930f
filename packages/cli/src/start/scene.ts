import type { Kernel, ModuleSource } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { nodeEvaluate } from '@softnet/kernel/node';
import type { Cable, TwoHosts } from '@softnet/testkit';
import { LinkDoor, TalkModule, TestExchange, TestLink, twoHosts } from '@softnet/testkit';
import { Traffic } from '../traffic/traffic.ts';
import { talk2 } from './talk2.ts';

/** Two kernels with a cable between them, and programs that talk over it. */
export interface Scene extends TwoHosts {
  /** What has a name at the prompt: what is offered to the kernels, and another build of it. */
  readonly catalogue: Readonly<Record<string, ModuleSource>>;
}

/** How to make a scene. */
export interface SceneOptions {
  readonly clock: 'real' | 'virtual';
  /** Of all chance. */
  readonly seed: number;
  /** Kernels that keep a stack of every hold. */
  readonly debug: boolean;
}

/** Boots both kernels, joins them by a lossy cable and loads the modules; there is traffic from then on. */
export async function bootScene({ clock, seed, debug }: SceneOptions): Promise<Scene> {
  const world = new World({ clock, seed });
  const faults = { delayUs: 2000, jitterUs: 1000, loss: 0.03, duplicate: 0.01, reorder: 0.01 };
  const hosts = await twoHosts({ world, seed, ...faults, modules: [TalkModule, Traffic], kernel: { debug, evaluate: nodeEvaluate } });
  for (const [kernel, address, peer] of [[hosts.a, 1, 2] as const, [hosts.b, 2, 1] as const]) {
    kernel.offer(TestLink, TestExchange, TalkModule, Traffic);
    keepPlugged(kernel, hosts.cable, address);
    kernel.sysctl.set('traffic.peer', peer);
  }
  const catalogue = { 'test-link': TestLink, 'test-exchange': TestExchange, talk: TalkModule, talk2: await talk2(), traffic: Traffic };
  return { ...hosts, catalogue };
}

/** Puts the cable in again when a link goes live that it is not plugged into. */
function keepPlugged(kernel: Kernel, cable: Cable, address: number): void {
  kernel.on((event) => {
    if (event.sort !== 'state' || event.to !== 'live') return;
    queueMicrotask(() => {
      const door = kernel.port(LinkDoor);
      if (door.present && !cable.reaches(address)) door.current.plug(cable, address);
    });
  });
}
