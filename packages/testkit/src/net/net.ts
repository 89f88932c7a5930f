import type { KernelOptions, ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import type { CableOptions } from '@softnet/nic-driver';
import { Cable } from '@softnet/nic-driver';
import { NetHost } from './net-host.ts';
import { LITTLE_MEMORY, QUIET_HOST } from './quiet-host.ts';
import { HOST_STACK } from './stack.ts';

/** How to make a {@link Net}; all of it has defaults. */
export interface NetOptions {
  /** Default: a virtual one, of `seed`. */
  readonly world?: World;
  readonly seed?: number;
  /** What each host loads. Default: {@link HOST_STACK}. */
  readonly modules?: readonly ModuleSource[];
  /** Its `settings` are added to {@link QUIET_HOST} and {@link LITTLE_MEMORY}. */
  readonly kernel?: Omit<KernelOptions, 'world' | 'name' | 'seed'>;
}

/** An end of a cable: the host, what its device is called, its addresses ('10.0.0.1/24'). */
export interface CableEnd {
  readonly host: NetHost;
  readonly device: string;
  readonly addresses?: readonly string[];
}

const TEN_MINUTES_US = 600_000_000;

/** Hosts and routers in one World, each a kernel with a whole stack, and the cables between them. */
export class Net {
  readonly world: World;
  readonly hosts: NetHost[] = [];
  readonly cables: Cable[] = [];
  readonly #options: NetOptions;

  constructor(options: NetOptions = {}) {
    this.#options = options;
    this.world = options.world ?? new World({ clock: 'virtual', seed: options.seed ?? 1 });
  }

  /** Boots a host. Rejects as `Kernel.load` does. */
  async host(name: string): Promise<NetHost> {
    const { modules = HOST_STACK, kernel = {}, seed = 1 } = this.#options;
    const settings = { ...QUIET_HOST, ...LITTLE_MEMORY, ...kernel.settings };
    const made = new Kernel({ ...kernel, settings, world: this.world, name, seed });
    for (const source of modules) await this.run(made.load(source));
    const host = new NetHost(made);
    this.hosts.push(host);
    return host;
  }

  /** A host that forwards the families that it has. */
  async router(name: string): Promise<NetHost> {
    const host = await this.host(name);
    const { sysctl } = host.kernel;
    for (const setting of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      if (sysctl.list(setting).length > 0) sysctl.set(setting, true);
    }
    return host;
  }

  /** A cable between two new devices, which are up and have their addresses. */
  async join(a: CableEnd, b: CableEnd, options: CableOptions = {}): Promise<Cable> {
    const cable = new Cable(options);
    for (const { host, device, addresses = [] } of [a, b]) {
      await this.run(host.addDevice('wire', device, { cable }));
      host.up(device);
      for (const address of addresses) host.addAddress(device, address);
    }
    this.cables.push(cable);
    return cable;
  }

  /** Moves time until the promise settles, where it is virtual; ten minutes of it by default. */
  run<T>(promise: PromiseLike<T>, limitUs = TEN_MINUTES_US): Promise<T> {
    return this.world.virtual ? this.world.run(promise, { limitUs }) : Promise.resolve(promise);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    if (this.world.virtual) await this.world.advance(ms * 1000);
    else await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Shuts all kernels down; what is still held is closed by force. */
  async dispose(): Promise<void> {
    await this.run(Promise.all(this.hosts.map(({ kernel }) => kernel.shutdown())));
  }
}

/** Two hosts, 'a' and 'b', on networks of their own, and a router 'r' between them: 10.0.1.0/24 and fd00:1::/64 to 10.0.2.0/24 and fd00:2::/64. */
export interface RoutedHosts {
  readonly net: Net;
  readonly a: NetHost;
  readonly r: NetHost;
  readonly b: NetHost;
}

export async function routedHosts(options: NetOptions & { readonly cable?: CableOptions } = {}): Promise<RoutedHosts> {
  const net = new Net(options);
  const [a, r, b] = [await net.host('a'), await net.router('r'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.1.2/24', 'fd00:1::2/64'] },
    { host: r, device: 'eth0', addresses: ['10.0.1.1/24', 'fd00:1::1/64'] },
    options.cable,
  );
  await net.join(
    { host: r, device: 'eth1', addresses: ['10.0.2.1/24', 'fd00:2::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.2.2/24', 'fd00:2::2/64'] },
    options.cable,
  );
  a.addRoute('default', { via: '10.0.1.1', dev: 'eth0' });
  a.addRoute('default', { via: 'fd00:1::1', dev: 'eth0' });
  b.addRoute('default', { via: '10.0.2.1', dev: 'eth0' });
  b.addRoute('default', { via: 'fd00:2::1', dev: 'eth0' });
  return { net, a, r, b };
}
