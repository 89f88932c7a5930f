import type { KernelOptions, ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { TestExchange } from './exchange/module.ts';
import type { CableFaults } from './link/cable.ts';
import { Cable } from './link/cable.ts';
import { TestLink } from './link/module.ts';
import { LinkDoor } from './link/service.ts';
import { TalkModule } from './talk/module.ts';
import { Talk } from './talk/service.ts';

/** How to make {@link twoHosts}; all of it has defaults. */
export interface TwoHostsOptions extends Partial<CableFaults> {
  /** Of all chance. Default 1. */
  readonly seed?: number;
  /** What to load above link and exchange, in both. Default: talk 1.0.0. */
  readonly modules?: readonly ModuleSource[];
  /** For both kernels. */
  readonly kernel?: Omit<KernelOptions, 'world' | 'name' | 'seed'>;
  /** Default: a virtual one. */
  readonly world?: World;
}

/** Two kernels, 'a' (address 1) and 'b' (address 2), with a cable between them. */
export interface TwoHosts {
  readonly world: World;
  readonly a: Kernel;
  readonly b: Kernel;
  readonly kernels: readonly [Kernel, Kernel];
  readonly cable: Cable;
  /** The door of talk, of one of them. */
  talk(kernel: Kernel): Talk;
  /** Drives time until the promise settles; ten minutes of it by default. */
  run<T>(promise: PromiseLike<T>, limitUs?: number): Promise<T>;
  /** Shuts both down; what they still hold is closed by force. */
  dispose(): Promise<void>;
}

const TEN_MINUTES_US = 600_000_000;

export async function twoHosts(options: TwoHostsOptions = {}): Promise<TwoHosts> {
  const { seed = 1, modules = [TalkModule], kernel = {}, world = new World({ clock: 'virtual', seed }), ...faults } = options;
  const a = new Kernel({ ...kernel, world, name: 'a', seed });
  const b = new Kernel({ ...kernel, world, name: 'b', seed });
  const cable = new Cable({ ...faults, random: world.random.fork('cable') });
  const run = <T>(promise: PromiseLike<T>, limitUs = TEN_MINUTES_US): Promise<T> => world.run(promise, { limitUs });
  for (const host of [a, b]) {
    for (const source of [TestLink, TestExchange, ...modules]) await run(host.load(source));
    host.port(LinkDoor).current.plug(cable, host === a ? 1 : 2);
  }
  return {
    world,
    a,
    b,
    kernels: [a, b],
    cable,
    talk: (host) => host.port(Talk).current,
    run,
    dispose: async () => {
      await run(Promise.all([a.shutdown(), b.shutdown()]));
    },
  };
}
