import { World } from '@softnet/kernel';
import { MessagePortModule, ReplayModule } from '@softnet/nic-driver';
import { QemuModule, TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, LINUX_HOST, Net } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { Web } from '../web/web.ts';
import { WEB_PORT } from '../web/web-server.ts';
import { configure, keepConfigured } from './host-config.ts';
import type { Scene } from './scene.ts';
import { kernelOptions, offerAll } from './scene.ts';
import { STACKED_MODULES } from './stacked-modules.ts';
import { TCP_MODULES } from './tcp-modules.ts';
import { Troubles } from './troubles.ts';

/** The device by which one kernel meets another machine. */
export type OuterDevice = { readonly kind: 'tap'; readonly ifname: string } | { readonly kind: 'qemu'; readonly path: string };

/** How to make it. */
export interface DeviceSceneOptions {
  readonly device: OuterDevice;
  /** '10.77.0.2/24', of both families; what the other machine reaches. */
  readonly addresses: readonly string[];
  readonly seed: number;
  readonly debug: boolean;
}

/** What our device is called. */
const NAME = 'eth0';

/**
 * Boots one kernel with the whole stack, a device to the host's Linux or to a QEMU guest, and udp-echo. Rejects with a NetError that
 * says what to do: no permission for the TAP, nobody at the socket; nothing is left then.
 */
export async function bootDevice({ device, addresses, seed, debug }: DeviceSceneOptions): Promise<Scene> {
  const driver = device.kind === 'tap' ? TapModule : QemuModule;
  const modules = [...HOST_STACK, ...TCP_MODULES, driver, UdpEchoModule];
  const net = new Net({
    world: new World({ clock: 'real', seed }),
    seed,
    modules,
    kernel: { ...kernelOptions(debug), settings: LINUX_HOST },
  });
  try {
    const host = await net.host('softnet');
    const options = device.kind === 'tap' ? { ifname: device.ifname } : { path: device.path };
    const config = { devices: [{ name: NAME, kind: device.kind, options, addresses }], routes: [], settings: {} };
    const catalogue = offerAll([host.kernel], [...modules, ...STACKED_MODULES, ReplayModule, MessagePortModule]);
    await configure(host, config);
    const troubles = new Troubles();
    keepConfigured(host, config, troubles.say);
    const web = new Web();
    web.serve(host.kernel, troubles.say);
    return { welcome: welcomeTo(device, addresses), net, hosts: [host], kernels: [host.kernel], catalogue, troubles, web };
  } catch (error) {
    await net.dispose();
    throw error;
  }
}

/** Who is here, and what to type there. */
function welcomeTo(device: OuterDevice, addresses: readonly string[]): string[] {
  const own = addresses.map((prefix) => prefix.replace(/\/.*/, ''));
  const there = device.kind === 'tap' ? device.ifname : 'DEVICE';
  const where = device.kind === 'tap' ? `on ${device.ifname}` : `in the guest behind ${device.path}`;
  const commands = [
    ...addresses.map((prefix) => `ip addr add ${neighbourOf(prefix)} dev ${there}`),
    `ip link set ${there} up`,
    ...own.slice(0, 1).map((address) => `ping ${address}`),
  ];
  return [
    `softnet is ${own.join(' and ')} ${where}, with udp-echo at port 7 and a web server at port ${WEB_PORT}. There, type: ${commands.join('; ')}`,
  ];
}

/** Another address of the same network: the last number 1, or 2 where that is ours. */
function neighbourOf(prefix: string): string {
  const [address = '', len = ''] = prefix.split('/');
  const cut = Math.max(address.lastIndexOf('.'), address.lastIndexOf(':')) + 1;
  const end = address.slice(cut) === '1' ? '2' : '1';
  return `${address.slice(0, cut)}${end}${len === '' ? '' : `/${len}`}`;
}
