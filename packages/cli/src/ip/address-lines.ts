import type { AddressWords, InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG } from '@softnet/contract';
import { formatAddress, formatPrefix } from '@softnet/wire';
import { familyName, scopeName } from './names.ts';

/** In iproute2's order; behind them `dynamic`, of one that is not for good. */
const FLAGS = Object.freeze([
  ['secondary', ADDRESS_FLAG.SECONDARY, 'temporary'],
  ['nodad', ADDRESS_FLAG.NODAD],
  ['optimistic', ADDRESS_FLAG.OPTIMISTIC],
  ['dadfailed', ADDRESS_FLAG.DAD_FAILED],
  ['deprecated', ADDRESS_FLAG.DEPRECATED],
  ['tentative', ADDRESS_FLAG.TENTATIVE],
] as const);
const LATER_FLAGS = Object.freeze([
  ['mngtmpaddr', ADDRESS_FLAG.MANAGETEMPADDR],
  ['noprefixroute', ADDRESS_FLAG.NOPREFIXROUTE],
  ['stable-privacy', ADDRESS_FLAG.STABLE_PRIVACY],
] as const);

/** An address as `ip addr` shows it: two lines. @param nowMs kernel ms, for what is left of its life. */
export function addressLines(entry: InterfaceAddress, nowMs: number): string[] {
  const { family, device, scope, flags, validUntilMs, preferredUntilMs, metric, broadcast } = entry;
  const isIpv4 = family === ADDRESS_FAMILY.INET;
  const said = [...FLAGS, ...((flags & ADDRESS_FLAG.PERMANENT) === 0 ? [['dynamic', -1] as const] : []), ...LATER_FLAGS]
    .filter(([, bit]) => bit < 0 || (flags & bit) !== 0)
    .map(([name, , ofIpv6 = name]) => (isIpv4 ? name : ofIpv6));
  const words = [
    ...[familyName(family), prefixText(entry)],
    ...(metric === 0 ? [] : ['metric', String(metric)]),
    ...(broadcast === null ? [] : ['brd', text(family, broadcast)]),
    ...['scope', scopeName(scope), ...said],
    ...(isIpv4 ? [entry.label || device.name] : []),
  ];
  return [`    ${words.join(' ')}`, `       valid_lft ${left(validUntilMs, nowMs)} preferred_lft ${left(preferredUntilMs, nowMs)}`];
}

/** '10.0.0.1/24', '10.0.0.1 peer 10.0.0.2/32'. */
export function prefixText({ family, address, peer, prefixLen }: InterfaceAddress): string {
  if (peer === null) return formatPrefix({ family, words: address, prefixLen });
  return `${text(family, address)} peer ${formatPrefix({ family, words: peer, prefixLen })}`;
}

function text(family: number, [word0, word1, word2, word3]: AddressWords): string {
  return formatAddress(family, word0, word1, word2, word3);
}

function left(untilMs: number, nowMs: number): string {
  return Number.isFinite(untilMs) ? `${Math.max(0, Math.ceil((untilMs - nowMs) / 1000))}sec` : 'forever';
}
