import type { InterfaceAddress, NetDevice } from '@softnet/contract';
import { ADDRESS_FLAG, DEVICE_FLAG, NetError, NetworkLayer } from '@softnet/contract';
import { formatPrefix } from '@softnet/wire';
import { addressLines, prefixText } from './address-lines.ts';
import { ADDRESS_USAGE, readAddress, readPrefix, readScope } from './address-words.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';
import { briefLine, linkLines, statisticsLines } from './link-lines.ts';
import { isWithin } from './prefix-within.ts';

/** Words by which addresses are chosen, and the flag that each is about. */
const FLAG_WORDS: Readonly<Record<string, number>> = Object.freeze({
  primary: ADDRESS_FLAG.SECONDARY,
  secondary: ADDRESS_FLAG.SECONDARY,
  deprecated: ADDRESS_FLAG.DEPRECATED,
  tentative: ADDRESS_FLAG.TENTATIVE,
  dadfailed: ADDRESS_FLAG.DAD_FAILED,
  permanent: ADDRESS_FLAG.PERMANENT,
  dynamic: ADDRESS_FLAG.PERMANENT,
  temporary: ADDRESS_FLAG.TEMPORARY,
  nodad: ADDRESS_FLAG.NODAD,
  optimistic: ADDRESS_FLAG.OPTIMISTIC,
  mngtmpaddr: ADDRESS_FLAG.MANAGETEMPADDR,
  noprefixroute: ADDRESS_FLAG.NOPREFIXROUTE,
});
/** Those that have not the flag. */
const WITHOUT: ReadonlySet<string> = new Set(['primary', 'dynamic']);
const CHOICE =
  '[up] [scope SCOPE] [label LABEL] [to PREFIX] ' +
  '[primary|secondary|temporary|permanent|dynamic|deprecated|tentative|dadfailed|optimistic|nodad|mngtmpaddr|noprefixroute]';

/** `ip addr`: addresses of devices. */
export const ipAddr: IpObject = Object.freeze({
  names: ['address'],
  usage: [
    `addr [show] [[dev] DEVICE] ${CHOICE}`,
    `addr add|change|replace ${ADDRESS_USAGE}`,
    'addr del PREFIX dev DEVICE',
    `addr flush [dev] DEVICE ${CHOICE}`,
  ],
  verbs: { show, list: show, add, change, replace, delete: remove, flush },
} satisfies IpObject);

function add({ host, words }: IpRequest): void {
  const { device, prefix, options } = readAddress(words);
  host.addAddress(device, prefix, options);
}

function change({ host, words }: IpRequest): void {
  const { device, prefix, options } = readAddress(words);
  host.changeAddress(device, prefix, options);
}

/** Changes it where it is there, and adds it where it is not. */
function replace(request: IpRequest): void {
  try {
    change(request);
  } catch (error) {
    if (!(error instanceof NetError) || error.code !== 'EADDRNOTAVAIL') throw error;
    add(request);
  }
}

function remove({ host, words }: IpRequest): void {
  const { device, prefix } = readAddress(words);
  host.removeAddress(device, prefix);
}

function show({ host, family, statistics, brief, words, print }: IpRequest): void {
  const choice = readChoice(words);
  const devices = choice.device === undefined ? host.devices : [host.device(choice.device)];
  for (const device of devices) {
    if (choice.up && (device.flags & DEVICE_FLAG.UP) === 0) continue;
    const addresses = addressesOf(host, device, family).filter(choice.fits);
    // As `ip -6 addr` has it: devices that have one of that family, or that is asked for.
    if ((family !== undefined || choice.narrow) && addresses.length === 0) continue;
    if (brief) {
      print(briefLine(device, addresses.map(prefixText)));
      continue;
    }
    for (const line of linkLines(device)) print(line);
    for (const address of addresses) for (const line of addressLines(address, host.kernel.clock.nowUs / 1000)) print(line);
    if (statistics) for (const line of statisticsLines(device)) print(line);
  }
}

function flush({ host, family, words }: IpRequest): void {
  const choice = readChoice(words);
  const device = host.device(wanted(choice.device, 'dev DEVICE'));
  // The secondary ones first: with a primary they would be gone already.
  const asked = addressesOf(host, device, family).filter(choice.fits);
  for (const { family: own, address, prefixLen } of asked.sort((a, b) => secondaryOf(b) - secondaryOf(a))) {
    host.removeAddress(device.name, formatPrefix({ family: own, words: address, prefixLen }));
  }
}

function secondaryOf({ flags }: InterfaceAddress): number {
  return flags & ADDRESS_FLAG.SECONDARY;
}

interface Choice {
  readonly device: string | undefined;
  readonly up: boolean;
  /** Something is asked of addresses, beside whose they are. */
  readonly narrow: boolean;
  fits(address: InterfaceAddress): boolean;
}

function readChoice(words: readonly string[]): Choice {
  const flagWords = words.filter((word) => Object.hasOwn(FLAG_WORDS, word));
  const plain = words.filter((word) => !flagWords.includes(word) && word !== 'up');
  const { rest, by } = readKeyed(plain, ['dev', 'scope', 'label', 'to'], 1);
  const scope = by.scope === undefined ? undefined : readScope(by.scope);
  const to = by.to === undefined ? undefined : readPrefix(by.to);
  const fits = (address: InterfaceAddress): boolean => {
    if (scope !== undefined && address.scope !== scope) return false;
    if (by.label !== undefined && (address.label || address.device.name) !== by.label) return false;
    if (to !== undefined && !isWithin(address.family, address.address, to)) return false;
    return flagWords.every((word) => ((address.flags & FLAG_WORDS[word]!) !== 0) !== WITHOUT.has(word));
  };
  const narrow = scope !== undefined || by.label !== undefined || to !== undefined || flagWords.length > 0;
  return { device: by.dev ?? rest[0], up: words.includes('up'), narrow, fits };
}

/** All addresses of a device, IPv4 first. */
function addressesOf(host: IpRequest['host'], device: NetDevice, family: number | undefined): InterfaceAddress[] {
  const layers = host.kernel.contributions(NetworkLayer).items.filter((layer) => family === undefined || layer.family === family);
  const all = [...layers].sort((a, b) => a.family - b.family).flatMap((layer) => [...layer.addresses]);
  return all.filter((address) => address.device === device);
}
