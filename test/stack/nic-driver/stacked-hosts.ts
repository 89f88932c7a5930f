import type { NetDevice } from '@softnet/contract';
import { Devices } from '@softnet/contract';
import type { Kernel, ModuleSource } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { Cable, CaptureModule, FaultModule, TraceModule, WireModule } from '@softnet/nic-driver';
import type { Net, NetHost } from '@softnet/testkit';
import type { FrameUser } from './frames.ts';
import { addDevice, Frames, frameHost } from './frames.ts';

/** The modules whose devices are stacked on others. */
export const STACKED: readonly ModuleSource[] = Object.freeze([FaultModule, TraceModule, CaptureModule]);

/** A device to be stacked on the one before it. */
export interface Layer {
  readonly kind: 'fault' | 'trace' | 'capture';
  readonly options?: object;
}

/** One of two hosts that a perfect wire joins. */
export interface StackedHost {
  readonly kernel: Kernel;
  /** The wire's device, and what is stacked on it: the last is on top. */
  readonly devices: readonly NetDevice[];
  readonly top: NetDevice;
  /** Has what the top receives. */
  readonly user: FrameUser;
  send(payload: Uint8Array): number;
}

/** Stacks devices on one, from below; all are up. They are called by their kind and how many stand below. */
export async function stack(kernel: Kernel, lower: NetDevice, layers: readonly Layer[]): Promise<NetDevice[]> {
  const devices = [lower];
  for (const { kind, options } of layers) {
    devices.push(await addDevice(kernel, kind, `${kind}${devices.length}`, { link: devices.at(-1)!.name, ...options }));
  }
  return devices;
}

/** Two hosts: `layers` are stacked on the first one's device, nothing on the other's. */
export async function stackedHosts(
  layers: readonly Layer[],
  { world = new World({ seed: 3 }), cable = new Cable(), hold = false } = {},
): Promise<{ world: World; cable: Cable; a: StackedHost; b: StackedHost }> {
  const hosts: StackedHost[] = [];
  for (const [name, above] of [
    ['a', layers],
    ['b', []],
  ] as const) {
    const kernel = await frameHost(world, name);
    for (const source of [WireModule, ...(name === 'a' ? STACKED : [])]) await world.run(kernel.load(source));
    const devices = await world.run(addDevice(kernel, 'wire', 'eth0', { cable }).then((eth0) => stack(kernel, eth0, above)));
    const top = devices.at(-1)!;
    const frames = (): Frames => kernel.port(Frames).current;
    hosts.push({ kernel, devices, top, user: frames().open(top, 'user', hold), send: (payload) => frames().send(top, payload) });
  }
  return { world, cable, a: hosts[0]!, b: hosts[1]! };
}

/** `ip link del`. */
export function remove(kernel: Kernel, device: NetDevice): void {
  kernel.port(Devices).current.remove(device);
}

/** Puts capture, faults and trace on `eth0`, up: the capture sees what the faults let pass, the trace what the stack sends. Addresses are the top's. */
export async function build(net: Net, host: NetHost, faults: object, addresses: readonly string[], file: Uint8Array[] = []): Promise<void> {
  const write = (bytes: Uint8Array): void => void file.push(bytes);
  for (const [name, kind, options] of [
    ['cap0', 'capture', { link: 'eth0', write }],
    ['flt0', 'fault', { link: 'cap0', ...faults }],
    ['trc0', 'trace', { link: 'flt0' }],
  ] as const) {
    await net.run(host.addDevice(kind, name, options));
    host.up(name);
  }
  for (const address of addresses) host.addAddress('trc0', address);
}
