import { formatIpv6 } from '@softnet/wire';
import { isSame } from '../machine/address-kind.ts';
import type { RouterMessage } from '../wire/router-value.ts';

const PARAMETERS = Object.freeze(['hopLimit', 'reachableMs', 'retransMs', 'mtuBytes'] as const);

/** What another router of the link says that is not as ours, in words (RFC 4861 §6.2.7); null: nothing. What one of them leaves open does not count. */
export function differenceOf(ours: RouterMessage, theirs: RouterMessage): string | null {
  for (const name of PARAMETERS) {
    if (ours[name] !== 0 && theirs[name] !== 0 && ours[name] !== theirs[name]) return `${name} ${theirs[name]}, not ${ours[name]}`;
  }
  if (ours.managed !== theirs.managed) return `managed ${theirs.managed}, not ${ours.managed}`;
  if (ours.otherConfig !== theirs.otherConfig) return `otherConfig ${theirs.otherConfig}, not ${ours.otherConfig}`;
  for (const { prefix, prefixLen, validS, preferredS } of theirs.prefixes) {
    const own = ours.prefixes.find((each) => each.prefixLen === prefixLen && isSame(each.prefix, ...prefix));
    if (own === undefined || (own.validS === validS && own.preferredS === preferredS)) continue;
    const lifetimes = `${validS} and ${preferredS} s, not ${own.validS} and ${own.preferredS} s`;
    return `that ${formatIpv6(...prefix)}/${prefixLen} is valid and preferred for ${lifetimes}`;
  }
  return null;
}
