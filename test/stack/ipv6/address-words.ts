import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, NetworkLayer } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';

/** Settings of a host that looks for duplicates, as Linux does by default, and asks no router. */
export const LOUD = Object.freeze({ 'net.ipv6.conf.default.accept_dad': 1 });

const WORDS = Object.freeze([
  ['tentative', ADDRESS_FLAG.TENTATIVE],
  ['failed', ADDRESS_FLAG.DAD_FAILED],
  ['optimistic', ADDRESS_FLAG.OPTIMISTIC],
  ['deprecated', ADDRESS_FLAG.DEPRECATED],
  ['temporary', ADDRESS_FLAG.TEMPORARY],
  ['stable', ADDRESS_FLAG.STABLE_PRIVACY],
] as const);

/** The addresses of this host's newest IPv6, but lo's. */
export function entriesOf(host: NetHost): InterfaceAddress[] {
  const layer = host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET6)!;
  return [...layer.addresses].filter(({ device }) => device.name !== 'lo');
}

/** 'fd00::1 tentative', in the order in which they came. */
export function wordsOf(host: NetHost): string[] {
  return entriesOf(host).map(({ address, flags }) =>
    [formatIpv6(...address), ...WORDS.filter(([, bit]) => flags & bit).map(([word]) => word)].join(' '),
  );
}

/** What is left of their lives, seconds: 'fd00::1 7200/3600', valid and preferred. */
export function livesOf(host: NetHost): string[] {
  const nowMs = host.kernel.clock.nowUs / 1000;
  const left = (untilMs: number): string => (Number.isFinite(untilMs) ? String(Math.round((untilMs - nowMs) / 1000)) : 'forever');
  return entriesOf(host).map(
    ({ address, validUntilMs, preferredUntilMs }) => `${formatIpv6(...address)} ${left(validUntilMs)}/${left(preferredUntilMs)}`,
  );
}
