import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG } from '@softnet/contract';
import { formatPrefix } from '@softnet/wire';
import { familyName, scopeName } from './names.ts';

const FLAGS = Object.freeze([
  ['secondary', ADDRESS_FLAG.SECONDARY],
  ['deprecated', ADDRESS_FLAG.DEPRECATED],
  ['tentative', ADDRESS_FLAG.TENTATIVE],
  ['dadfailed', ADDRESS_FLAG.DAD_FAILED],
] as const);

/** An address as `ip addr` shows it: two lines. @param nowMs kernel ms, for what is left of its life. */
export function addressLines(address: InterfaceAddress, nowMs: number): string[] {
  const { family, address: words, prefixLen, device, scope, flags, validUntilMs, preferredUntilMs } = address;
  const said = FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => ` ${name}`);
  const dynamic = Number.isFinite(validUntilMs) ? ' dynamic' : '';
  const label = family === ADDRESS_FAMILY.INET ? ` ${device.name}` : '';
  const prefix = formatPrefix({ family, words, prefixLen });
  return [
    `    ${familyName(family)} ${prefix} scope ${scopeName(scope)}${said.join('')}${dynamic}${label}`,
    `       valid_lft ${left(validUntilMs, nowMs)} preferred_lft ${left(preferredUntilMs, nowMs)}`,
  ];
}

function left(untilMs: number, nowMs: number): string {
  return Number.isFinite(untilMs) ? `${Math.max(0, Math.ceil((untilMs - nowMs) / 1000))}sec` : 'forever';
}
