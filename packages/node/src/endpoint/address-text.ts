import { isIPv4, isIPv6 } from 'node:net';
import type { SockAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';

const { INET, INET6 } = ADDRESS_FAMILY;
/** Of an IPv4 address's third word: see `Flow`. */
const MAPPED = 0xffff;

/** An interface by its name, or its number in digits; 0: there is none. */
export type ScopeOf = (name: string) => number;

/** Fills an address of the family from its text. 0, or -EINVAL: it is none of that family. */
export function fillAddress(into: SockAddress, family: number, text: string, port: number, scopeOf: ScopeOf): number {
  const [host = '', zone] = text.split('%');
  into.family = family;
  into.port = port;
  into.ifindex = zone === undefined ? 0 : scopeOf(zone);
  if (family === INET) {
    if (!isIPv4(text)) return -ERRNO.EINVAL;
    const word = ipv4Word(text);
    into.address0 = into.address1 = 0;
    into.address2 = word === 0 ? 0 : MAPPED;
    into.address3 = word;
    return 0;
  }
  if (!isIPv6(host)) return -ERRNO.EINVAL;
  const words = ipv6Words(host);
  into.address0 = words[0]!;
  into.address1 = words[1]!;
  into.address2 = words[2]!;
  into.address3 = words[3]!;
  return 0;
}

/** @param text dotted decimals, which are checked already. */
function ipv4Word(text: string): number {
  return text.split('.').reduce((word, part) => (word << 8) | Number(part), 0);
}

/** @param text of an IPv6 address without zone, which is checked already. */
function ipv6Words(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const groups = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return [0, 2, 4, 6].map((at) => (groups[at]! << 16) | groups[at + 1]!);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const word = ipv4Word(group);
    return [word >>> 16, word & 0xffff];
  });
}

/** The address as Node writes it (RFC 5952). */
export function addressText({ family, address0, address1, address2, address3 }: SockAddress): string {
  if (family === INET) return dotted(address3);
  if (address0 === 0 && address1 === 0 && address2 === MAPPED) return `::ffff:${dotted(address3)}`;
  const groups = [address0, address1, address2, address3].flatMap((word) => [word >>> 16, word & 0xffff]);
  return shortened(groups);
}

export function familyName(family: number): 'IPv4' | 'IPv6' {
  return family === INET6 ? 'IPv6' : 'IPv4';
}

function dotted(word: number): string {
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join('.');
}

/** The first longest run of at least two zeros is `::`. */
function shortened(groups: readonly number[]): string {
  let [at, length] = [0, 1];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [at, length] = [from, to - from];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, at))}::${hex(groups.slice(at + length))}`;
}
