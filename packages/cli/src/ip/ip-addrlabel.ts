import type { AddressLabel } from '@softnet/contract';
import { ADDRESS_FAMILY, AddressLabels } from '@softnet/contract';
import { formatIpv6, parsePrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { anyNumber, readKeyed, wanted } from './ip-object.ts';

/** `ip addrlabel`: the policy table by which IPv6 chooses its sources (RFC 6724 §2.1). */
export const ipAddrlabel: IpObject = Object.freeze({
  names: ['addrlabel'],
  usage: [
    'addrlabel [list]',
    'addrlabel add prefix PREFIX [dev DEVICE] label N',
    'addrlabel del prefix PREFIX [dev DEVICE]',
    'addrlabel flush',
  ],
  verbs: { list, show: list, add, delete: remove, flush },
} satisfies IpObject);

function list({ host, words, print }: IpRequest): void {
  readKeyed(words, [], 0);
  for (const { prefix, prefixLen, label, ifindex } of labelsOf(host).list()) {
    const device = host.devices.find((each) => each.ifindex === ifindex);
    const on = ifindex === 0 ? '' : `dev ${device?.name ?? `if${ifindex}`} `;
    print(`prefix ${formatIpv6(...prefix)}/${prefixLen} ${on}label ${label} `.trimEnd());
  }
}

function add(request: IpRequest): void {
  const { by } = readKeyed(request.words, ['prefix', 'dev', 'label'], 0);
  const label = anyNumber(wanted(by.label, 'label N'), 'label');
  labelsOf(request.host).add({ ...placeOf(request, by), label });
}

function remove(request: IpRequest): void {
  const { by } = readKeyed(request.words, ['prefix', 'dev', 'label'], 0);
  labelsOf(request.host).remove(placeOf(request, by));
}

/** All of them, as iproute2 has it: then all addresses are alike. */
function flush({ host, words }: IpRequest): void {
  readKeyed(words, [], 0);
  for (const each of labelsOf(host).list()) labelsOf(host).remove(each);
}

function placeOf({ host }: IpRequest, by: Readonly<Record<string, string | undefined>>): Omit<AddressLabel, 'label'> {
  const text = wanted(by.prefix, 'prefix PREFIX');
  const prefix = parsePrefix(text.includes('/') ? text : `${text}/128`);
  if (prefix === null || prefix.family !== ADDRESS_FAMILY.INET6)
    throw new UsageError(`'${text}' is no prefix of IPv6: write 2001:db8::/32`);
  return { prefix: prefix.words, prefixLen: prefix.prefixLen, ifindex: by.dev === undefined ? 0 : host.device(by.dev).ifindex };
}

function labelsOf({ kernel }: IpRequest['host']): AddressLabels {
  return kernel.port(AddressLabels).current;
}
