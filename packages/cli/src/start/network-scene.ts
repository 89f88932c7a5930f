import { World } from '@softnet/kernel';
import type { Cable } from '@softnet/nic-driver';
import { MessagePortModule, ReplayModule } from '@softnet/nic-driver';
import type { RoutedHosts } from '@softnet/testkit';
import { HOST_STACK, routedHosts } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { Traffic } from '../traffic/traffic.ts';
import { Web } from '../web/web.ts';
import { WEB_PORT } from '../web/web-server.ts';
import type { HostConfig } from './host-config.ts';
import { configure, keepConfigured } from './host-config.ts';
import type { Scene, SceneOptions } from './scene.ts';
import { kernelOptions, offerAll } from './scene.ts';
import { STACKED_MODULES } from './stacked-modules.ts';
import { TCP_MODULES } from './tcp-modules.ts';
import { Troubles } from './troubles.ts';

/** What the cables do to frames. */
const CABLE = Object.freeze({ delayUs: 2000, jitterUs: 500, loss: 0.005, duplicate: 0.002, reorder: 0.002 });

/** Boots two hosts, a and b, and a router r between them, with traffic in both hosts. */
export async function bootNetwork({ clock, seed, debug, webPort }: SceneOptions): Promise<Scene> {
  const world = new World({ clock, seed });
  const modules = [...HOST_STACK, ...TCP_MODULES];
  const hosts = await routedHosts({ world, seed, cable: { ...CABLE, seed }, kernel: kernelOptions(debug), modules });
  const { net, a, r, b } = hosts;
  const all = [a, r, b];
  const kernels = all.map(({ kernel }) => kernel);
  const troubles = new Troubles();
  const catalogue = offerAll(kernels, [...modules, ...STACKED_MODULES, ReplayModule, MessagePortModule, UdpEchoModule, Traffic]);
  const configs = configsOf(hosts);
  for (const host of [a, b]) for (const program of [UdpEchoModule, Traffic]) await net.run(host.kernel.load(program));
  for (const [index, host] of all.entries()) {
    await net.run(configure(host, configs[index]!));
    keepConfigured(host, configs[index]!, troubles.say);
  }
  const web = new Web();
  web.serve(b.kernel, troubles.say);
  const address = webPort === undefined ? null : await wayIn(web, hosts, webPort);
  const welcome = [
    "two hosts, 'a' and 'b', ping and send datagrams to one another through a router, 'r'; commands go to 'a'.",
    'Try: lsmod, top, ping 10.0.2.2, ip addr, rmmod udp, help',
    ...(address === null ? [] : [`A web server runs in b: ${address} comes to it over softnet's TCP, through the router.`]),
  ];
  return { welcome, net, hosts: all, kernels, catalogue, troubles, web };
}

/** A port of this machine that leads to the web server in b over a's TCP. @returns its URL. */
async function wayIn(web: Web, { a }: RoutedHosts, port: number | null): Promise<string> {
  const { url } = await web.forward(a.kernel, port, { address: '10.0.2.2', port: WEB_PORT });
  return url;
}

/** What `routedHosts` gave each, and the programs' settings: of a, r, b. */
function configsOf({ net }: RoutedHosts): [HostConfig, HostConfig, HostConfig] {
  const [left, right] = net.cables as [Cable, Cable];
  const port = (name: string, cable: Cable, ...addresses: readonly string[]) => ({ name, kind: 'wire', options: { cable }, addresses });
  const settings = { 'net.ipv4.ip_forward': true, 'net.ipv6.conf.all.forwarding': true };
  return [
    {
      devices: [port('eth0', left, '10.0.1.2/24', 'fd00:1::2/64')],
      routes: ['10.0.1.1', 'fd00:1::1'].map((via) => ({ via, dev: 'eth0' })),
      settings: { 'traffic.peer4': '10.0.2.2', 'traffic.peer6': 'fd00:2::2' },
    },
    {
      devices: [port('eth0', left, '10.0.1.1/24', 'fd00:1::1/64'), port('eth1', right, '10.0.2.1/24', 'fd00:2::1/64')],
      routes: [],
      settings,
    },
    {
      devices: [port('eth0', right, '10.0.2.2/24', 'fd00:2::2/64')],
      routes: ['10.0.2.1', 'fd00:2::1'].map((via) => ({ via, dev: 'eth0' })),
      settings: { 'traffic.peer4': '10.0.1.2', 'traffic.peer6': 'fd00:1::2' },
    },
  ];
}
