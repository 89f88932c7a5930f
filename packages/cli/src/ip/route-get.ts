import type { Dst } from '@softnet/contract';
import { ERRNO, Flow, NetError, Route } from '@softnet/contract';
import { formatAddress, parseAddress } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpRequest } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';

/**
 * `ip route get ADDRESS [oif DEVICE]`: which way a packet from here to there would go, as the table of routes answers now.
 * @throws NetError with the route's errno where there is no way.
 */
export function getRoute({ host, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['to', 'oif'], 1);
  const text = wanted(by.to ?? rest[0], 'ADDRESS');
  const address = parseAddress(text);
  if (address === null) throw new UsageError(`'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
  const flow = new Flow();
  flow.family = address.family;
  [flow.dst0, flow.dst1, flow.dst2, flow.dst3] = address.words;
  if (by.oif !== undefined) flow.oif = host.device(by.oif).ifindex;
  const dst = host.kernel.port(Route).current.lookup(flow);
  if (dst.error !== 0) throw noWay(dst.error, text);
  print([text, ...wayParts(dst), 'src', formatAddress(flow.family, flow.src0, flow.src1, flow.src2, flow.src3)].join(' '));
}

function wayParts({ gatewayFamily, gateway0, gateway1, gateway2, gateway3, device }: Dst): string[] {
  return [
    ...(gatewayFamily === 0 ? [] : ['via', formatAddress(gatewayFamily, gateway0, gateway1, gateway2, gateway3)]),
    ...(device === null ? [] : ['dev', device.name]),
  ];
}

function noWay(errno: number, address: string): NetError {
  const code = (Object.keys(ERRNO) as (keyof typeof ERRNO)[]).find((name) => ERRNO[name] === errno) ?? 'EIO';
  return new NetError(code, `there is no way to ${address}: 'ip route' lists those that there are`);
}
