import { ADDRESS_FAMILY, NEIGHBOUR_STATE, Neighbours, NeighbourTable } from '@softnet/contract';
import { parseAddress, parseMac } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';
import { neighbourLine } from './neighbour-line.ts';

/** `ip neigh`: who is on the link; with `all` also those that need no asking (groups, say). */
export const ipNeigh: IpObject = Object.freeze({
  names: ['neighbour', 'neighbor'],
  usage: [
    'neigh [show] [all] [dev DEVICE]',
    'neigh add|replace ADDRESS lladdr MAC dev DEVICE',
    'neigh del ADDRESS dev DEVICE',
    'neigh flush dev DEVICE',
  ],
  verbs: { show, list: show, add: set, replace: set, delete: remove, flush },
} satisfies IpObject);

function show({ host, family, words, print }: IpRequest): void {
  const { by, rest } = readKeyed(words, ['dev'], 1);
  if (rest[0] !== undefined && rest[0] !== 'all') throw new UsageError(`what is '${rest[0]}'? Known here: dev, all`);
  const only = by.dev === undefined ? undefined : host.device(by.dev);
  const families = family === undefined ? [ADDRESS_FAMILY.INET, ADDRESS_FAMILY.INET6] : [family];
  for (const each of families) {
    for (const neighbour of host.kernel.port(Neighbours).current.entries(each)) {
      if (rest.length === 0 && neighbour.state === NEIGHBOUR_STATE.NOARP) continue;
      if (only === undefined || neighbour.device === only) print(neighbourLine(neighbour));
    }
  }
}

function set({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev', 'lladdr'], 1);
  const { family, words: address } = addressOf(rest[0]);
  const mac = parseMac(wanted(by.lladdr, 'lladdr MAC'));
  if (mac === null) throw new UsageError(`'${by.lladdr}' is no link address: write 02:00:00:00:00:01`);
  host.kernel.port(NeighbourTable).current.set(host.device(wanted(by.dev, 'dev DEVICE')), family, address, mac);
}

function remove({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const { family, words: address } = addressOf(rest[0]);
  host.kernel.port(NeighbourTable).current.remove(host.device(wanted(by.dev, 'dev DEVICE')), family, address);
}

function flush({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  host.kernel.port(NeighbourTable).current.flush(host.device(wanted(by.dev ?? rest[0], 'dev DEVICE')));
}

function addressOf(word: string | undefined) {
  const text = wanted(word, 'ADDRESS');
  const address = parseAddress(text);
  if (address === null) throw new UsageError(`'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
  return address;
}
