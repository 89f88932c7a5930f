import { NetError } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';

/** An address as users write it, with the interface that a link-local one is on. */
export interface ScopedAddress {
  readonly text: string;
  readonly family: number;
  /** 0: any. */
  readonly ifindex: number;
}

/**
 * '192.0.2.1', '2001:db8::1', 'fe80::1%eth0' (RFC 4007 §11).
 * @throws UsageError for what is no address; NetError ENODEV for an interface that is not there.
 */
export function readAddress(word: string, host: NetHost): ScopedAddress {
  const [text = '', zone] = word.split('%', 2);
  const parsed = parseAddress(text);
  if (parsed === null)
    throw new UsageError(`'${text}' is no address: write 192.0.2.1, 2001:db8::1 or fe80::1%eth0 (there are no names yet)`);
  const ifindex = zone === undefined ? 0 : host.device(zone).ifindex;
  if (/^fe[89ab]/i.test(text) && zone === undefined) {
    const names = host.devices.map(({ name }) => name).join(', ');
    throw new NetError('EINVAL', `${text} is on every link: say on which, ${text}%DEVICE; there are: ${names}`);
  }
  return { text, family: parsed.family, ifindex };
}
