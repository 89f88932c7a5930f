import { Devices } from '@softnet/contract';
import { parseMac } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed, wanted, wholeNumber } from './ip-object.ts';
import { linkLines, statisticsLines } from './link-lines.ts';

/** `ip link`: devices. */
export const ipLink: IpObject = Object.freeze({
  names: ['link'],
  usage: [
    'link [show] [[dev] DEVICE]',
    'link set [dev] DEVICE up|down|mtu BYTES|address MAC|name NAME ...',
    'link add [name] NAME type KIND [OPTION VALUE ...]',
    'link del [dev] DEVICE',
  ],
  verbs: { show, list: show, set, add, delete: remove },
} satisfies IpObject);

function show({ host, statistics, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const name = by.dev ?? rest[0];
  for (const device of name === undefined ? host.devices : [host.device(name)]) {
    for (const line of linkLines(device)) print(line);
    if (statistics) for (const line of statisticsLines(device)) print(line);
  }
}

function set({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev', 'mtu', 'address', 'name'], 3);
  const states = rest.filter((word) => word === 'up' || word === 'down');
  const others = rest.filter((word) => word !== 'up' && word !== 'down');
  const name = wanted(by.dev ?? others[0], 'DEVICE');
  if (others.length > (by.dev === undefined ? 1 : 0))
    throw new UsageError(`what is '${others.at(-1)}'? Known here: up, down, mtu, address, name`);
  const device = host.device(name);
  const devices = host.kernel.port(Devices).current;
  if (states[0] === 'down') devices.close(device);
  if (by.mtu !== undefined) devices.setMtu(device, wholeNumber(by.mtu, 'mtu'));
  if (by.address !== undefined) devices.setAddress(device, macOf(by.address));
  if (by.name !== undefined) devices.rename(device, by.name);
  if (states[0] === 'up') devices.open(device);
}

function macOf(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === null) throw new UsageError(`'${text}' is no link address: write 02:00:00:00:00:01`);
  return mac;
}

async function add({ host, words }: IpRequest): Promise<void> {
  const at = words.indexOf('type');
  const kind = wanted(at < 0 ? undefined : words[at + 1], 'type KIND');
  const { rest, by } = readKeyed(words.slice(0, at), ['name', 'dev'], 1);
  const name = wanted(by.name ?? by.dev ?? rest[0], 'NAME');
  const options = words.slice(at + 2);
  if (options.length % 2 !== 0) throw new UsageError(`'${options.at(-1)}' wants a value behind it`);
  const pairs = options.flatMap((word, index) => (index % 2 === 0 ? [[word, optionValue(options[index + 1]!)] as const] : []));
  await host.addDevice(kind, name, Object.fromEntries(pairs));
}

/** Numbers as numbers: what a kind takes is its own matter. */
function optionValue(word: string): string | number {
  return /^\d{1,15}$/.test(word) ? Number(word) : word;
}

function remove({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const device = host.device(wanted(by.dev ?? rest[0], 'DEVICE'));
  host.kernel.port(Devices).current.remove(device);
}
