import { execFileSync } from 'node:child_process';
import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, NEIGHBOUR_STATE, Neighbours, NetworkLayer, Route } from '@softnet/contract';
import type { KernelOptions, ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, Pinger } from '@softnet/testkit';
import { formatIpv6, formatMac, parseIpv6 } from '@softnet/wire';
import type { Netns } from './netns.ts';

const { INET6 } = ADDRESS_FAMILY;
/** RTPROT_RA. */
const FROM_ROUTERS = 9;

/** How to boot a {@link TapHost}. */
export interface TapHostOptions {
  readonly settings?: NonNullable<KernelOptions['settings']>;
  /** Beyond those of a host. */
  readonly modules?: readonly ModuleSource[];
  /** False: nothing is captured, as where gigabytes pass. */
  readonly isCaptured?: boolean;
}

/** softnet in real time, whose devices are TAPs in namespaces of Linux; all that passes them is captured. */
export class TapHost extends NetHost {
  static #made = 0;
  readonly #tag: string;
  readonly #chunks: Uint8Array[] = [];

  private constructor(kernel: Kernel, isCaptured: boolean) {
    super(kernel);
    this.#tag = `sn${process.pid % 100_000}${'abcdefghijklmnop'[TapHost.#made++ % 16]}`;
    const write = (bytes: Uint8Array): void => void this.#chunks.push(bytes.slice());
    if (isCaptured) kernel.port(Captures).current.start({ device: null, write, epochUs: Date.now() * 1000 }, { name: 'test' });
  }

  static async boot(name: string, { settings = {}, modules = [], isCaptured = true }: TapHostOptions = {}): Promise<TapHost> {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name, settings });
    for (const source of [...HOST_STACK, TapModule, ...modules]) await kernel.load(source);
    return new TapHost(kernel, isCaptured);
  }

  /** A device, not up yet; Linux has the other end by this name. With checksums written: what Linux was left to finish, tshark would warn of. */
  async plug(device: string, linux: Netns, name: string = device): Promise<void> {
    const ifname = `${this.#tag}${device}`;
    await this.addDevice('tap', device, { ifname, vnetHeader: false });
    execFileSync('ip', ['link', 'set', ifname, 'netns', linux.name, 'name', name]);
  }

  /** What has passed until now, in pcapng. */
  get capture(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  mac(device: string): string {
    return formatMac(this.device(device).address);
  }

  /** `ip -6 neigh show ADDRESS`: 'REACHABLE 02:...', or 'none'. */
  neighbour(address: string): string {
    const found = this.kernel
      .port(Neighbours)
      .current.entries(INET6)
      .find((each) => formatIpv6(each.address0, each.address1, each.address2, each.address3) === address);
    if (found === undefined) return 'none';
    const state = Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === found.state)![0];
    return found.linkAddress.some((byte) => byte !== 0) ? `${state} ${formatMac(found.linkAddress)}` : state;
  }

  /** Addresses of a device with their flags by name, one a line: 'fd67::1 TEMPORARY DEPRECATED'. */
  addressLines(device: string): string {
    const layer = this.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET6)!;
    const own = [...layer.addresses].filter((each) => each.device.name === device);
    return own.map(({ address, flags }) => [formatIpv6(...address), ...flagNames(flags)].join(' ')).join('\n');
  }

  /** Routes that routers have told of, one a line: 'default via fe80::1 pref 0', 'fd67::/64'. */
  toldRoutes(): string {
    const entries = this.kernel.port(Route).current.entries(INET6);
    const told = entries.filter(({ source }) => source === FROM_ROUTERS);
    return told
      .map(({ prefix, prefixLen, nextHops, preference = 0 }) => {
        const gateway = nextHops[0]?.gateway?.address;
        const to = prefixLen === 0 ? 'default' : `${formatIpv6(...prefix)}/${prefixLen}`;
        return gateway === undefined ? to : `${to} via ${formatIpv6(...gateway)} pref ${preference}`;
      })
      .join('\n');
  }

  /** Pings from an address of its own. Rejects as `ping` does. */
  async pingFrom(from: string, to: string, timeoutMs = 10_000): Promise<void> {
    const pinger = new Pinger(this.kernel, INET6, { from });
    try {
      await pinger.ping(to, { timeoutMs });
    } finally {
      pinger.close();
    }
  }
}

/** Names of what `ADDRESS_FLAG` says of an IPv6 address. */
function flagNames(flags: number): string[] {
  const names = Object.entries(ADDRESS_FLAG).filter(([name, bit]) => name !== 'SECONDARY' && (flags & bit) !== 0);
  return names.map(([name]) => name);
}

/** @throws what is no address. */
export function words(address: string): AddressWords {
  const parsed = parseIpv6(address);
  if (parsed === null) throw new Error(`'${address}' is no IPv6 address`);
  return parsed;
}
