import type { Neighbour, NetDevice } from '@softnet/contract';
import { ADDRESS_FAMILY, NEIGHBOUR_STATE, Neighbours, NeighbourTable, NetError } from '@softnet/contract';
import type { IpAddress } from '@softnet/wire';
import { parseAddress, parseMac, parsePrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest, KeyedWords } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';
import { neighbourStateNumber } from './names.ts';
import { neighbourLine, neighbourTimes, proxyLine } from './neighbour-line.ts';

const { NOARP, PERMANENT } = NEIGHBOUR_STATE;
/** No state, for `nud`. */
const NONE = 0x100;
const ALL = 0x1ff;

/** `ip neigh`: who is on the link, and for whom this host answers. */
export const ipNeigh: IpObject = Object.freeze({
  names: ['neighbour', 'neighbor'],
  usage: [
    'neigh [show] [all] [PREFIX] [dev DEVICE] [nud STATE] [proxy]',
    'neigh get ADDRESS dev DEVICE',
    'neigh add|change|replace ADDRESS lladdr MAC dev DEVICE [nud permanent|noarp|reachable|stale] [router]',
    'neigh add|del proxy ADDRESS [dev DEVICE]',
    'neigh del ADDRESS dev DEVICE',
    'neigh flush all|PREFIX|dev DEVICE [nud STATE]',
  ],
  verbs: {
    show,
    list: show,
    get,
    add: (request) => set(request, false),
    change: (request) => set(request, true),
    replace: (request) => set(request, undefined),
    delete: remove,
    flush,
  },
} satisfies IpObject);

/** Which neighbours are meant. */
interface Choice {
  readonly states: number;
  readonly device: NetDevice | undefined;
  readonly contains: (neighbour: Pick<Neighbour, 'family' | 'address0' | 'address1' | 'address2' | 'address3'>) => boolean;
}

function show(request: IpRequest): void {
  const { host, statistics, print } = request;
  const words = request.words.filter((word) => word !== 'all' && word !== 'proxy');
  const choice = choose(request, words, request.words.includes('all') ? ALL : ~(NOARP | NONE));
  if (request.words.includes('proxy')) {
    for (const proxy of familiesOf(request).flatMap((family) => host.kernel.port(Neighbours).current.proxies(family))) {
      const [address0, address1, address2, address3] = proxy.address;
      const isMeant = choice.contains({ family: proxy.family, address0, address1, address2, address3 });
      if (isMeant && (choice.device === undefined || proxy.device === choice.device)) print(proxyLine(proxy));
    }
    return;
  }
  const { nowMs } = host.kernel.clock;
  for (const neighbour of chosen(request, choice)) {
    print(neighbourLine(neighbour, statistics ? neighbourTimes(neighbour, nowMs) : ''));
  }
}

/** One, whatever its state. @throws NetError ENOENT. */
function get(request: IpRequest): void {
  const address = wanted(request.words[0], 'ADDRESS');
  const choice = choose(request, request.words, ALL);
  if (choice.device === undefined) throw new UsageError('dev DEVICE is missing');
  const [found] = chosen(request, choice);
  if (found === undefined)
    throw new NetError('ENOENT', `there is no neighbour ${address} on ${choice.device.name}: 'ip neigh' lists those that there are`);
  request.print(neighbourLine(found, ''));
}

/** @param exists whether there must be one already, must not, or may. */
function set({ host, words }: IpRequest, exists: boolean | undefined): void {
  const { rest, by } = readKeyed(
    words.filter((word) => word !== 'router'),
    ['dev', 'lladdr', 'nud', 'proxy'],
    1,
  );
  const { current: table } = host.kernel.port(NeighbourTable);
  if (by.proxy !== undefined) {
    const { family, words: address } = addressOf(by.proxy);
    table.addProxy(by.dev === undefined ? null : host.device(by.dev), family, address);
    return;
  }
  const to = addressOf(rest[0]);
  const mac = parseMac(wanted(by.lladdr, 'lladdr MAC'));
  if (mac === null) throw new UsageError(`'${by.lladdr}' is no link address: write 02:00:00:00:00:01`);
  const state = by.nud === undefined ? PERMANENT : stateOf(by.nud);
  const device = host.device(wanted(by.dev, 'dev DEVICE'));
  const contains = containsOf(rest[0]!);
  const there = host.kernel.port(Neighbours).current.entries(to.family);
  const is = there.some((neighbour) => neighbour.device === device && contains(neighbour));
  if (exists === false && is) throw new NetError('EEXIST', `${device.name} has a neighbour ${rest[0]}: change or replace it`);
  if (exists === true && !is) throw new NetError('ENOENT', `${device.name} has no neighbour ${rest[0]}: add it`);
  table.set(device, to.family, to.words, mac, state, words.includes('router'));
}

function remove({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev', 'proxy'], 1);
  const { current: table } = host.kernel.port(NeighbourTable);
  const { family, words: address } = addressOf(by.proxy ?? rest[0]);
  if (by.proxy !== undefined) table.removeProxy(by.dev === undefined ? null : host.device(by.dev), family, address);
  else table.remove(host.device(wanted(by.dev, 'dev DEVICE')), family, address);
}

/** As iproute2: none that were set by hand or need no asking, unless `nud` says so. */
function flush(request: IpRequest): void {
  const { host } = request;
  const words = request.words.filter((word) => word !== 'all');
  if (request.words.length === 0) throw new UsageError('all, PREFIX, dev DEVICE or nud STATE is missing');
  const { current: table } = host.kernel.port(NeighbourTable);
  const named = words.length === 1 && host.devices.find(({ name }) => name === words[0]);
  const choice = choose(request, named ? ['dev', words[0]!] : words, ~(NOARP | PERMANENT));
  for (const { device, family, address0, address1, address2, address3 } of chosen(request, choice)) {
    table.remove(device, family, [address0, address1, address2, address3]);
  }
}

function choose({ host }: IpRequest, words: readonly string[], usual: number): Choice {
  const { rest, by }: KeyedWords = readKeyed(words, ['dev', 'nud', 'to'], 1);
  const prefix = by.to ?? rest[0];
  return {
    states: by.nud === undefined ? usual : by.nud === 'all' ? ALL : stateOf(by.nud) || NONE,
    device: by.dev === undefined ? undefined : host.device(by.dev),
    contains: prefix === undefined ? () => true : containsOf(prefix),
  };
}

function chosen(request: IpRequest, { states, device, contains }: Choice): Neighbour[] {
  const { current: neighbours } = request.host.kernel.port(Neighbours);
  return familiesOf(request)
    .flatMap((family) => [...neighbours.entries(family)])
    .filter((each) => ((each.state || NONE) & states) !== 0 && (device === undefined || each.device === device) && contains(each));
}

function familiesOf({ family }: IpRequest): readonly number[] {
  return family === undefined ? [ADDRESS_FAMILY.INET, ADDRESS_FAMILY.INET6] : [family];
}

function containsOf(text: string): Choice['contains'] {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new UsageError(`what is '${text}'? Known here: ADDRESS, PREFIX, dev, nud, all, proxy`);
  const skip = prefix.family === ADDRESS_FAMILY.INET ? 96 : 0;
  return ({ family, address0, address1, address2, address3 }) =>
    family === prefix.family &&
    [address0, address1, address2, address3].every((word, at) => {
      const bits = Math.min(32, Math.max(0, prefix.prefixLen + skip - 32 * at));
      return bits === 0 || (word ^ prefix.words[at]!) >>> (32 - bits) === 0;
    });
}

function stateOf(name: string): number {
  const state = neighbourStateNumber(name);
  if (state !== undefined) return state;
  throw new UsageError(`nud takes permanent, noarp, reachable, stale, delay, probe, incomplete, failed or none, got '${name}'`);
}

function addressOf(word: string | undefined): IpAddress {
  const text = wanted(word, 'ADDRESS');
  const address = parseAddress(text);
  if (address === null) throw new UsageError(`'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
  return address;
}
