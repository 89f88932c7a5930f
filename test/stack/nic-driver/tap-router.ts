import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NetDevice } from '@softnet/contract';
import { Devices } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { LinuxNetwork } from './linux-network.ts';

const STREAMS = fileURLToPath(new URL('../../interop/linux/streams.mjs', import.meta.url));
const PORT = 5001;

/** What became of a stream. */
export interface StreamEnd {
  /** All bytes arrived, as they were sent. */
  readonly same: boolean;
  /** Linux's errno, of the sender. */
  readonly error: string | null;
  readonly seconds: number;
}

/** softnet as the router between namespaces of Linux: 10.88.SIDE.1 and fd88:SIDE::1 there, .2 here, by a tap or tun each. */
export class TapRouter {
  readonly host: NetHost;
  readonly sides: LinuxNetwork[] = [];
  readonly devices: NetDevice[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(kernel: Kernel) {
    this.host = new NetHost(kernel);
  }

  static async boot(): Promise<TapRouter> {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'router', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule]) await kernel.load(source);
    kernel.sysctl.set('net.ipv4.ip_forward', true);
    kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    return new TapRouter(kernel);
  }

  /** The next side. */
  async join(kind: 'tap' | 'tun', options: object = {}): Promise<void> {
    const side = this.sides.length;
    const linux = new LinuxNetwork();
    this.sides.push(linux);
    const ifname = `${linux.tag}t`;
    const device = await this.host.addDevice(kind, `${kind}${side}`, { ifname, ...options });
    this.devices.push(device);
    linux.adopt(ifname, `10.88.${side}.1/24`, `fd88:${side}::1/64`);
    this.host.up(device.name);
    this.host.addAddress(device.name, `10.88.${side}.2/24`);
    this.host.addAddress(device.name, `fd88:${side}::2/64`);
    linux.ip('route', 'add', 'default', 'via', `10.88.${side}.2`);
    linux.ip('-6', 'route', 'add', 'default', 'via', `fd88:${side}::2`);
  }

  /** Switches features on, or off. */
  setFeatures(side: number, bits: number, on: boolean): void {
    const device = this.devices[side]!;
    this.host.kernel.port(Devices).current.setFeatures(device, on ? device.features | bits : device.features & ~bits);
  }

  /** Somebody on this side who says what has come. */
  async serve(side: number): Promise<void> {
    const child = this.start(side, process.execPath, STREAMS, 'serve', String(PORT));
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.stdout!.once('data', resolve);
    });
  }

  /** Runs a program on a side until it is killed, by `close` at the latest. */
  start(side: number, program: string, ...words: readonly string[]): ChildProcess {
    const args = ['netns', 'exec', this.sides[side]!.name, program, ...words];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** TCP from one side to another, over IPv4 and then over IPv6. */
  async streams(from: number, to: number, lenBytes: number): Promise<readonly StreamEnd[]> {
    const words = [STREAMS, 'send', String(PORT), String(lenBytes), `10.88.${to}.1`, `fd88:${to}::1`];
    return JSON.parse(await this.run(from, process.execPath, ...words)) as StreamEnd[];
  }

  /** What a program on a side prints, however it ends. */
  run(side: number, program: string, ...words: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      execFile('ip', ['netns', 'exec', this.sides[side]!.name, program, ...words], (_error, stdout) => resolve(stdout));
    });
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill();
    await this.host.kernel.shutdown();
    for (const side of this.sides) side.close();
  }
}
