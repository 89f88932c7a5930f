import type { AddressOptions, AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, NetError } from '@softnet/contract';
import type { IpPrefix } from '@softnet/wire';
import { addressBits, formatPrefix, parseAddress, parsePrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import { readKeyed, wanted, wholeNumber } from './ip-object.ts';
import { scopeNumber } from './names.ts';

/** Words that stand alone, and what they set. */
const FLAG_WORDS: Readonly<Record<string, number>> = Object.freeze({
  nodad: ADDRESS_FLAG.NODAD,
  optimistic: ADDRESS_FLAG.OPTIMISTIC,
  mngtmpaddr: ADDRESS_FLAG.MANAGETEMPADDR,
  noprefixroute: ADDRESS_FLAG.NOPREFIXROUTE,
});
const KEYS: readonly string[] = Object.freeze([
  'dev',
  'local',
  'peer',
  'broadcast',
  'brd',
  'scope',
  'label',
  'metric',
  'valid_lft',
  'preferred_lft',
]);

/** How it is said. */
export const ADDRESS_USAGE =
  'PREFIX [peer PREFIX] [broadcast ADDRESS|+|-] [scope SCOPE] [label LABEL] [metric N] ' +
  '[valid_lft SECONDS|forever] [preferred_lft SECONDS|forever] [noprefixroute] [nodad] [optimistic] [mngtmpaddr] dev DEVICE';

/** What `ip addr add` was told. */
export interface AddressRequest {
  readonly device: string;
  /** '10.0.0.1/24': with a peer, the length of the peer's prefix. */
  readonly prefix: string;
  readonly options: AddressOptions;
}

/** @throws UsageError naming the word that is wrong or missing. */
export function readAddress(words: readonly string[]): AddressRequest {
  const flagWords = words.filter((word) => Object.hasOwn(FLAG_WORDS, word));
  const { rest, by } = readKeyed(
    words.filter((word) => !flagWords.includes(word)),
    KEYS,
    1,
  );
  const own = readPrefix(wanted(by.local ?? rest[0], 'PREFIX, such as 192.0.2.1/24,'));
  const device = wanted(by.dev, 'dev DEVICE');
  const peer = by.peer === undefined ? undefined : readPrefix(by.peer);
  const prefixLen = peer === undefined ? own.prefixLen : peer.prefixLen;
  const label = by.label;
  if (label !== undefined && !label.startsWith(device))
    throw new UsageError(`label begins with the device's name, '${device}', got '${label}'`);
  const validMs = lifetimeMs(by.valid_lft, 'valid_lft');
  const preferredMs = lifetimeMs(by.preferred_lft, 'preferred_lft');
  const broadcast = by.broadcast ?? by.brd;
  return {
    device,
    prefix: formatPrefix({ family: own.family, words: own.words, prefixLen }),
    options: {
      ...(flagWords.length === 0 ? {} : { flags: flagWords.reduce((bits, word) => bits | FLAG_WORDS[word]!, 0) }),
      ...(peer === undefined ? {} : { peer: peer.words }),
      ...(broadcast === undefined || broadcast === '+' ? {} : { broadcast: readBroadcast(broadcast, own, prefixLen) }),
      ...(by.scope === undefined ? {} : { scope: readScope(by.scope) }),
      ...(label === undefined ? {} : { label }),
      ...(by.metric === undefined ? {} : { metric: wholeNumber(by.metric, 'metric') }),
      ...(validMs === undefined ? {} : { validMs }),
      ...(preferredMs === undefined ? {} : { preferredMs }),
    },
  };
}

/** A scope by name or number. @throws UsageError */
export function readScope(word: string): number {
  const scope = scopeNumber(word);
  if (scope === undefined) throw new UsageError(`scope takes global, link, host or a number, got '${word}'`);
  return scope;
}

/** A prefix, or an address, which is one of all its bits. @throws NetError EINVAL. */
export function readPrefix(word: string): IpPrefix {
  const address = parseAddress(word);
  if (address !== null) return { ...address, prefixLen: addressBits(address.family) };
  const prefix = parsePrefix(word);
  if (prefix === null) throw new NetError('EINVAL', `'${word}' is no prefix: write 192.0.2.1/24 or 2001:db8::1/64`);
  return prefix;
}

/** '-' has the bits behind the prefix cleared, as hosts of 4.2BSD did. */
function readBroadcast(word: string, { family, words }: IpPrefix, prefixLen: number): AddressWords {
  if (family !== ADDRESS_FAMILY.INET) throw new UsageError('broadcast is IPv4’s: IPv6 has groups');
  if (word === '-') return [0, 0, words[2], prefixLen === 0 ? 0 : words[3] & (-1 << (32 - prefixLen))];
  const address = parseAddress(word);
  if (address === null || address.family !== ADDRESS_FAMILY.INET) throw new UsageError(`broadcast takes an address, + or -, got '${word}'`);
  return address.words;
}

function lifetimeMs(word: string | undefined, what: string): number | undefined {
  if (word === undefined) return undefined;
  return word === 'forever' ? Number.POSITIVE_INFINITY : wholeNumber(word.replace(/sec$/, ''), what) * 1000;
}
