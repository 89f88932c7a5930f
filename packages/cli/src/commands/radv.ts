import type { AdvertisedPrefix, AdvertisedRoute, NetDevice, RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FAMILY, NameServers, RouterAdvertisements } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetHost } from '@softnet/testkit';
import { formatIpv6, parseIpv6, parsePrefix } from '@softnet/wire';
import type { SessionCommand } from '../session/session-command.ts';
import { optionNumber } from '../text/option-number.ts';
import { UsageError } from '../usage-error.ts';

const PREFERENCES = Object.freeze({ low: -1, medium: 0, high: 1 } as const);

export const radv: SessionCommand = Object.freeze({
  name: 'radv',
  parameters: '[device] [on|off|show] [words...]',
  summary: 'tell a link that this host is an IPv6 router, or no more; show what is said, and the name servers that routers have told',
  details: [
    'radv eth0 on [interval S] [lifetime S] [preference low|medium|high] [hoplimit N] [mtu BYTES] [managed] [other]',
    '    [prefix PREFIX]... [route PREFIX]... [dns ADDRESS]... [search DOMAIN]...',
    'Without a prefix those of its addresses are said. It must forward: sysctl net.ipv6.conf.all.forwarding=1',
    'radv eth0 off: after a farewell. radv: all of it.',
  ],
  completes: ({ kernel }, index) => (index === 0 ? new NetHost(kernel).devices.map(({ name }) => `${name} `) : ['on ', 'off', 'show']),
  run({ kernel, output }, { words: [name = 'show', verb = 'show', ...words] }) {
    if (name === 'show') {
      for (const line of allLines(kernel)) output.print(line);
      return;
    }
    const device = new NetHost(kernel).device(name);
    const door = kernel.port(RouterAdvertisements);
    if (verb === 'on') door.current.set(device, advertisementOf(words));
    else if (verb === 'off') door.current.set(device, null);
    else if (verb === 'show') output.print(lineOf(kernel, device) ?? `${name} says nothing`);
    else throw new UsageError(`radv ${name} takes on, off or show, got '${verb}'`);
  },
} satisfies SessionCommand);

function allLines(kernel: Kernel): string[] {
  const said = new NetHost(kernel).devices.flatMap((device) => lineOf(kernel, device) ?? []);
  const nowMs = kernel.clock.readUs() / 1000;
  const heard = kernel
    .contributions(NameServers)
    .items.flatMap(({ servers, searchDomains }) => [
      ...servers.map(
        ({ address, ifindex, untilMs }) => `nameserver ${formatIpv6(...address)} ${heardText(kernel, ifindex, untilMs - nowMs)}`,
      ),
      ...searchDomains.map(({ name, ifindex, untilMs }) => `search ${name} ${heardText(kernel, ifindex, untilMs - nowMs)}`),
    ]);
  return [...said, ...heard];
}

function heardText(kernel: Kernel, ifindex: number, leftMs: number): string {
  const device = new NetHost(kernel).devices.find((each) => each.ifindex === ifindex);
  return `dev ${device?.name ?? ifindex} ${leftMs === Number.POSITIVE_INFINITY ? 'forever' : `for ${Math.ceil(leftMs / 1000)}sec`}`;
}

/** Null: it tells nobody of itself there. */
function lineOf(kernel: Kernel, device: NetDevice): string | null {
  const said = kernel.port(RouterAdvertisements).current.of(device);
  if (said === null) return null;
  const { maxIntervalMs = 600_000, lifetimeMs = 3 * maxIntervalMs, preference = 0, hopLimit = 64, mtuBytes = 0 } = said;
  const parts = [`${device.name} interval ${maxIntervalMs / 1000} lifetime ${lifetimeMs / 1000}`];
  parts.push(`preference ${Object.keys(PREFERENCES)[preference + 1]!} hoplimit ${hopLimit}`);
  if (mtuBytes > 0) parts.push(`mtu ${mtuBytes}`);
  if (said.managed) parts.push('managed');
  if (said.otherConfig) parts.push('other');
  for (const { prefix, prefixLen } of said.prefixes ?? []) parts.push(`prefix ${formatIpv6(...prefix)}/${prefixLen}`);
  for (const { prefix, prefixLen } of said.routes ?? []) parts.push(`route ${formatIpv6(...prefix)}/${prefixLen}`);
  for (const address of said.nameServers ?? []) parts.push(`dns ${formatIpv6(...address)}`);
  for (const domain of said.searchDomains ?? []) parts.push(`search ${domain}`);
  return parts.join(' ');
}

/** @throws UsageError. */
function advertisementOf(words: readonly string[]): RouterAdvertisement {
  const said: { -readonly [K in keyof RouterAdvertisement]?: RouterAdvertisement[K] } = {};
  const [prefixes, routes, names]: [AdvertisedPrefix[], AdvertisedRoute[], string[]] = [[], [], []];
  const servers: [number, number, number, number][] = [];
  for (let i = 0; i < words.length; i++) {
    const key = words[i]!;
    if (key === 'managed') said.managed = true;
    else if (key === 'other') said.otherConfig = true;
    else {
      const value = words[++i];
      if (value === undefined) throw new UsageError(`${key} wants a word behind it: 'help radv' says more`);
      if (key === 'interval') said.maxIntervalMs = 1000 * optionNumber(key, value, 0, 4, 1800);
      else if (key === 'lifetime') said.lifetimeMs = 1000 * optionNumber(key, value, 0, 0, 9000);
      else if (key === 'hoplimit') said.hopLimit = optionNumber(key, value, 0, 0, 255);
      else if (key === 'mtu') said.mtuBytes = optionNumber(key, value, 0, 1280, 65_535);
      else if (key === 'preference') said.preference = preferenceOf(value);
      else if (key === 'prefix') prefixes.push(prefixOf(value));
      else if (key === 'route') routes.push({ ...prefixOf(value), lifetimeMs: 1_800_000 });
      else if (key === 'dns') servers.push(addressOf(value));
      else if (key === 'search') names.push(value);
      else throw new UsageError(`radv does not know '${key}': 'help radv' says what it knows`);
    }
  }
  if (prefixes.length > 0) said.prefixes = prefixes;
  return { ...said, routes, nameServers: servers, searchDomains: names };
}

function preferenceOf(word: string): number {
  if (word in PREFERENCES) return PREFERENCES[word as keyof typeof PREFERENCES];
  throw new UsageError(`preference takes low, medium or high, got '${word}'`);
}

function prefixOf(word: string): { prefix: readonly [number, number, number, number]; prefixLen: number } {
  const found = parsePrefix(word);
  if (found !== null && found.family === ADDRESS_FAMILY.INET6) return { prefix: found.words, prefixLen: found.prefixLen };
  throw new UsageError(`'${word}' is no IPv6 prefix: write 2001:db8::/64`);
}

function addressOf(word: string): [number, number, number, number] {
  const found = parseIpv6(word);
  if (found !== null) return [...found];
  throw new UsageError(`'${word}' is no IPv6 address: write 2001:db8::53`);
}
