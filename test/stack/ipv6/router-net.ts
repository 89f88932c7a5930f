import type { RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FAMILY, NetworkLayer, Route, RouterAdvertisements } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';
import { Hub } from '../ipv4/hub.ts';

/** A host that asks for routers, and looks for no duplicates. */
const ASKING = Object.freeze({ 'net.ipv6.conf.default.router_solicitations': -1 });

/** Hosts of IPv6 alone on one link, and routers, which all know the host `fd99::1` as their own. */
export class RouterNet {
  readonly hub: Hub;

  private constructor(hub: Hub) {
    this.hub = hub;
  }

  static async open(seed = 1): Promise<RouterNet> {
    const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));
    return new RouterNet(await Hub.open(seed, { modules }));
  }

  host(settings: Readonly<Record<string, number>> = {}): Promise<NetHost> {
    return this.hub.plug({ ...ASKING, ...settings });
  }

  /** @param address of its eth0. It says nothing of itself yet. */
  async router(address: string): Promise<NetHost> {
    const router = await this.hub.plug({ 'net.ipv6.conf.all.forwarding': 1, 'net.ipv6.conf.default.forwarding': 1 });
    router.up('lo');
    router.addAddress('lo', 'fd99::1/128');
    router.addAddress('eth0', address);
    return router;
  }

  advertise(router: NetHost, said: RouterAdvertisement | null): void {
    router.kernel.port(RouterAdvertisements).current.set(router.device('eth0'), said);
  }

  pass(ms: number): Promise<void> {
    return this.hub.net.pass(ms);
  }

  /** Until it is so; the ms that it took. */
  async until(is: () => boolean | Promise<boolean>, limitMs: number, stepMs = 100): Promise<number> {
    for (let ms = 0; ms <= limitMs; ms += stepMs) {
      if (await is()) return ms;
      await this.pass(stepMs);
    }
    throw new Error(`it is not so within ${limitMs} ms`);
  }

  /** Whether a host reaches what is behind routers. */
  reaches(host: NetHost, timeoutMs = 100): Promise<boolean> {
    return this.hub.net.run(host.ping('fd99::1', { timeoutMs })).then(
      () => true,
      () => false,
    );
  }

  close(): Promise<void> {
    return this.hub.close();
  }
}

/** Default routers as a host has them: 'fe80::50:ff:fe00:2 metric 1024 pref 1'. */
export function routersOf(host: NetHost): string[] {
  const entries = host.kernel.port(Route).current.entries(ADDRESS_FAMILY.INET6);
  return entries
    .filter(({ prefixLen, source }) => prefixLen === 0 && source === 9)
    .map(
      ({ nextHops, priority, preference = 0 }) => `${formatIpv6(...nextHops[0]!.gateway!.address)} metric ${priority} pref ${preference}`,
    );
}

/** Addresses of eth0. */
export function addressesOf(host: NetHost): string[] {
  const { addresses } = host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET6)!;
  return [...addresses].filter(({ device }) => device.name === 'eth0').map(({ address }) => formatIpv6(...address));
}

/** Of the nth host of a net. */
export function linkLocal(number: number): string {
  return `fe80::50:ff:fe00:${number}`;
}

/** Direction of a packet in pcapng's flags. */
const INBOUND = 1;

export interface Seen {
  readonly type: number;
  readonly lifetimeS: number;
  /** Of a neighbor advertisement: router, solicited, override, from the top. */
  readonly flags: number;
}

/** ICMPv6 messages of routers, and echo requests, that came to the hub, in a capture of it. */
export function frames(capture: Buffer): Seen[] {
  const seen: Seen[] = [];
  // pcapng: blocks of a type and a length; that of a packet has 28 bytes before it, and its options behind it.
  for (let at = 0; at < capture.length; at += capture.readUInt32LE(at + 4)) {
    if (capture.readUInt32LE(at) !== 6) continue;
    const lenBytes = capture.readUInt32LE(at + 20);
    const bytes = capture.subarray(at + 28, at + 28 + lenBytes);
    const flags = capture.readUInt32LE(at + 28 + ((lenBytes + 3) & ~3) + 4);
    if ((flags & 3) !== INBOUND || bytes.length < 62 || bytes.readUInt16BE(12) !== 0x86dd || bytes[20] !== 58) continue;
    const type = bytes[54]!;
    if ([128, 133, 134, 136, 137].includes(type)) seen.push({ type, lifetimeS: bytes.readUInt16BE(60), flags: bytes[58]! >>> 4 });
  }
  return seen;
}
