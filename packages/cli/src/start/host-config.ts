import type { RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, Addresses, DeviceKind, NetworkLayer, Route, RouteTables } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { KernelTime } from '@softnet/testkit';
import type { IpPrefix } from '@softnet/wire';
import { parseAddress, parsePrefix } from '@softnet/wire';

/** What a host has been given: its devices with their addresses, its routes, its settings. */
export interface HostConfig {
  readonly devices: readonly DeviceConfig[];
  readonly routes: readonly RouteConfig[];
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** One device: as `ip link add`, `ip link set up`, `ip addr add`. */
interface DeviceConfig {
  readonly name: string;
  readonly kind: string;
  readonly options: object;
  readonly addresses: readonly string[];
}

/** As `ip route add default via GATEWAY dev DEVICE`. */
interface RouteConfig {
  readonly via: string;
  readonly dev: string;
}

/**
 * Gives a host what it has not of a configuration, as far as modules are there for it; what is there stays as it is.
 * @param module `name#generation`: only its settings are set. Default: all. Rejects with the first error of a setting, a
 * device, an address or a route that is refused.
 */
export async function configure(host: NetHost, { devices, routes, settings }: HostConfig, module?: string): Promise<void> {
  const { kernel } = host;
  for (const row of kernel.sysctl.list()) {
    const value = settings[row.name];
    if (value !== undefined && (module === undefined || module === row.module)) kernel.sysctl.set(row.name, value);
  }
  for (const { name, kind, options, addresses } of devices) {
    if (!hasDevice(host, name) && kernel.contributions(DeviceKind).items.some((each) => each.kind === kind)) {
      await host.addDevice(kind, name, options);
      host.up(name);
    }
    if (hasDevice(host, name)) for (const prefix of addresses) if (lacksAddress(host, name, prefix)) give(host, name, prefix);
  }
  for (const route of routes) if (lacksRoute(host, route)) host.addRoute('default', route);
}

/** It is to be used at once: where duplicates of IPv6's are looked for, not of this one. */
function give(host: NetHost, name: string, prefix: string): void {
  const isIpv6 = parsePrefix(prefix)?.family === ADDRESS_FAMILY.INET6;
  const isSearched = isIpv6 && host.kernel.sysctl.get(`net.ipv6.conf.${name}.accept_dad`) !== 0;
  host.addAddress(name, prefix, isSearched ? { flags: ADDRESS_FLAG.NODAD } : {});
}

const SETTLE_US = 10_000;

/**
 * Sees to it that what a module took along when it went comes back with its next generation.
 * @param failed is told what could not be.
 */
export function keepConfigured(host: NetHost, config: HostConfig, failed: (error: unknown) => void): void {
  let turn = Promise.resolve();
  host.kernel.on((event) => {
    if (event.sort !== 'state' || event.from !== 'starting' || event.to !== 'live') return;
    // One after another.
    turn = turn
      .then(() => settle(host))
      .then(() => configure(host, config, event.module))
      .catch(failed);
  });
}

/** A module that has just gone live hears of devices in a turn of its own: only then are there routes to their networks. */
async function settle({ kernel }: NetHost): Promise<void> {
  const time = kernel.port(KernelTime);
  if (time.present) await time.current.sleepUs(SETTLE_US);
}

function hasDevice({ devices }: NetHost, name: string): boolean {
  return devices.some((device) => device.name === name);
}

/** It can be added, and is not there. */
function lacksAddress({ kernel }: NetHost, name: string, text: string): boolean {
  const wanted = parsePrefix(text);
  if (wanted === null) return true;
  if (!kernel.contributions(Addresses).items.some(({ family }) => family === wanted.family)) return false;
  const layers = kernel.contributions(NetworkLayer).items.filter(({ family }) => family === wanted.family);
  return !layers.some(({ addresses }) => [...addresses].some(({ device, address }) => device.name === name && isSame(address, wanted)));
}

/** It can be added, and there is no other in its place. */
function lacksRoute(host: NetHost, { via, dev }: RouteConfig): boolean {
  const { kernel } = host;
  const family = parseAddress(via)?.family;
  if (!hasDevice(host, dev) || !kernel.port(RouteTables).present) return false;
  if (!kernel.contributions(NetworkLayer).items.some((layer) => layer.family === family)) return false;
  const isDefault = ({ prefixLen, nextHops }: RouteEntry): boolean => prefixLen === 0 && nextHops.length > 0;
  return !kernel.port(Route).current.entries(family!).some(isDefault);
}

function isSame(address: readonly number[], { words }: IpPrefix): boolean {
  return words.every((word, index) => word === address[index]);
}
