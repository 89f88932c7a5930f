import { readFileSync } from 'node:fs';
import { Devices, NetError } from '@softnet/contract';
import { parseMac } from '@softnet/wire';
import { expandHome } from '../session/expand-home.ts';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { oddWord, readKeyed, wanted, wholeNumber } from './ip-object.ts';
import { briefLine, briefLink, linkLines, statisticsLines } from './link-lines.ts';
import { setKind, stackedLines, writeInto } from './stacked-link.ts';

const CABLE = "two of them share a Cable; where eth0 is one, 'ethtool -L eth0 combined 4' gives it queues";

/** Kinds that cannot be made at the prompt, as an option of theirs cannot be typed; and what Linux has in their stead. */
const MADE_BY_CODE: ReadonlyMap<string, string> = new Map([
  ['wire', `a wire is made by code, as ${CABLE}`],
  ['veth', `no module makes a veth; what comes nearest is a wire, which code makes, as ${CABLE}`],
  ['message-port', 'a message-port is made by code, which gives it its MessagePort'],
]);

/** `ip link`: devices. */
export const ipLink: IpObject = Object.freeze({
  names: ['link'],
  usage: [
    'link [show] [[dev] DEVICE]',
    'link set [dev] DEVICE up|down|mtu BYTES|address MAC|name NAME ...',
    'link set [dev] DEVICE type fault [OPTION VALUE ...]',
    'link add [name] NAME type KIND [OPTION VALUE ...]',
    'link del [dev] DEVICE',
  ],
  verbs: { show, list: show, set, add, delete: remove },
} satisfies IpObject);

function show({ host, statistics, brief, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const name = by.dev ?? rest[0];
  for (const device of name === undefined ? host.devices : [host.device(name)]) {
    if (brief) {
      print(briefLine(device, briefLink(device)));
      continue;
    }
    for (const line of linkLines(device)) print(line);
    if (statistics) for (const line of [...statisticsLines(device), ...stackedLines(host, device)]) print(line);
  }
}

function set({ host, words: all }: IpRequest): void {
  const { words, kind, options } = kindIn(all);
  const { rest, by } = readKeyed(words, ['dev', 'mtu', 'address', 'name'], 3);
  const states = rest.filter((word) => word === 'up' || word === 'down');
  const others = rest.filter((word) => word !== 'up' && word !== 'down');
  const name = wanted(by.dev ?? others[0], 'DEVICE');
  if (others.length > (by.dev === undefined ? 1 : 0))
    throw new UsageError(`what is '${oddWord(others, 1)}'? Known here: up, down, mtu, address, name`);
  const device = host.device(name);
  const devices = host.kernel.port(Devices).current;
  if (states[0] === 'down') devices.close(device);
  if (kind !== undefined) setKind(host, device, kind, options);
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

async function add({ host, words: all }: IpRequest): Promise<void> {
  const { words, kind, options } = kindIn(all);
  const { rest, by } = readKeyed(words, ['name', 'dev'], 1);
  const name = wanted(by.name ?? by.dev ?? rest[0], 'NAME');
  const madeByCode = kind === undefined ? undefined : MADE_BY_CODE.get(kind);
  if (madeByCode !== undefined) throw new NetError('EOPNOTSUPP', madeByCode);
  await host.addDevice(wanted(kind, 'type KIND'), name, options);
}

/** What stands before `type KIND`, and what behind. */
function kindIn(words: readonly string[]): { words: readonly string[]; kind: string | undefined; options: object } {
  const at = words.indexOf('type');
  if (at < 0) return { words, kind: undefined, options: {} };
  const kind = wanted(words[at + 1], 'type KIND');
  const options = MADE_BY_CODE.has(kind) ? [] : words.slice(at + 2);
  if (options.length % 2 !== 0) throw new UsageError(`'${options.at(-1)}' wants a value behind it`);
  const pairs = options.flatMap((word, index) => (index % 2 === 0 ? [[word, options[index + 1]!] as const] : []));
  return { words: words.slice(0, at), kind, options: Object.fromEntries(pairs.map(([option, word]) => optionOf(kind, option, word))) };
}

/** What a kind takes is its own matter; only bytes cannot be typed, so a capture is a file here. */
function optionOf(kind: string, option: string, word: string): readonly [string, unknown] {
  if (kind === 'replay' && option === 'file') return ['capture', readCaptureFile(expandHome(word))];
  if (kind === 'capture' && option === 'file') return ['write', writeInto(word)];
  return [option, optionValue(word)];
}

/** Numbers as numbers, yes and no as such. */
function optionValue(word: string): string | number | boolean {
  if (word === 'true' || word === 'false') return word === 'true';
  return /^\d{1,15}(?:\.\d{1,9})?$/.test(word) ? Number(word) : word;
}

function readCaptureFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new NetError('ENOENT', `${path} cannot be read: give a file that tcpdump or Wireshark wrote`, { cause: error });
  }
}

function remove({ host, words }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const device = host.device(wanted(by.dev ?? rest[0], 'DEVICE'));
  host.kernel.port(Devices).current.remove(device);
}
