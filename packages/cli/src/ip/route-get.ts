import type { Dst } from '@softnet/contract';
import { ERRNO, Flow, NetError, ROUTE_TYPE, Route } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpRequest } from './ip-object.ts';
import { anyNumber, readKeyed, wanted } from './ip-object.ts';
import { routeTypeName } from './names.ts';
import { protocolOf } from './read-rule.ts';
import { addressOf, realmsText, tosOf } from './route-words.ts';

const KEYS = Object.freeze(['to', 'from', 'iif', 'oif', 'mark', 'tos', 'dsfield', 'ipproto', 'sport', 'dport', 'uid']);

/** A device may carry more. */
const MAX_PACKET_BYTES = 65_535;

/**
 * `ip route get ADDRESS [from ADDRESS] [oif DEVICE] ...`: which way a packet from here to there would go, as rules and tables answer now;
 * with `iif`, one that comes in by that device.
 * @throws NetError with the route's errno where there is no way.
 */
export function getRoute({ host, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, KEYS, 1);
  const text = wanted(by.to ?? rest[0], 'ADDRESS');
  const flow = flowTo(text, by);
  if (by.oif !== undefined) flow.oif = host.device(by.oif).ifindex;
  if (by.iif !== undefined) flow.iif = host.device(by.iif).ifindex;
  const route = host.kernel.port(Route).current;
  const dst = by.iif === undefined ? route.lookup(flow) : route.lookupInput(flow);
  if (dst.error !== 0) throw noWay(dst.error, text);
  const source = formatAddress(flow.family, flow.src0, flow.src1, flow.src2, flow.src3);
  const parts = [
    ...(dst.type === ROUTE_TYPE.UNICAST || dst.type === 0 ? [] : [routeTypeName(dst.type)]),
    ...[text, ...(by.from === undefined ? [] : ['from', by.from]), ...wayParts(dst)],
    ...(by.from === undefined && by.iif === undefined ? ['src', source] : []),
    ...(dst.realms === 0 ? [] : ['realms', realmsText(dst.realms)]),
    ...(by.mark === undefined ? [] : ['mark', `0x${(flow.mark >>> 0).toString(16)}`]),
    ...(by.iif === undefined ? [] : ['iif', by.iif]),
  ];
  print(parts.join(' '));
  const { device, mtuBytes } = dst;
  if (device !== null && mtuBytes < Math.min(device.mtuBytes, MAX_PACKET_BYTES))
    print(`    cache mtu ${dst.mtuLocked ? 'lock ' : ''}${mtuBytes}`);
}

function flowTo(text: string, by: Readonly<Record<string, string | undefined>>): Flow {
  const flow = new Flow();
  const address = addressOf(text);
  flow.family = address.family;
  [flow.dst0, flow.dst1, flow.dst2, flow.dst3] = address.words;
  if (by.from !== undefined) {
    const from = addressOf(by.from);
    if (from.family !== flow.family) throw new UsageError('both addresses are of one family');
    [flow.src0, flow.src1, flow.src2, flow.src3] = from.words;
  }
  const tos = by.tos ?? by.dsfield;
  if (by.mark !== undefined) flow.mark = anyNumber(by.mark, 'mark') | 0;
  if (tos !== undefined) flow.tos = tosOf(tos);
  if (by.ipproto !== undefined) flow.protocol = protocolOf(by.ipproto);
  if (by.sport !== undefined) flow.srcPort = anyNumber(by.sport, 'sport');
  if (by.dport !== undefined) flow.dstPort = anyNumber(by.dport, 'dport');
  if (by.uid !== undefined) flow.uid = anyNumber(by.uid, 'uid');
  return flow;
}

function wayParts({ gatewayFamily, gateway0, gateway1, gateway2, gateway3, device, family }: Dst): string[] {
  const other = gatewayFamily !== family ? ['inet6'] : [];
  return [
    ...(gatewayFamily === 0 ? [] : ['via', ...other, formatAddress(gatewayFamily, gateway0, gateway1, gateway2, gateway3)]),
    ...(device === null ? [] : ['dev', device.name]),
  ];
}

/** What routes and rules say of whom they send nowhere. */
const REFUSED: Readonly<Partial<Record<keyof typeof ERRNO, string>>> = Object.freeze({
  EINVAL: 'a blackhole takes what is for',
  EACCES: 'a route or rule prohibits',
  EHOSTUNREACH: 'by a route or rule nobody reaches',
});

function noWay(errno: number, address: string): NetError {
  const code = (Object.keys(ERRNO) as (keyof typeof ERRNO)[]).find((name) => ERRNO[name] === errno) ?? 'EIO';
  return new NetError(code, `${REFUSED[code] ?? 'there is no way to'} ${address}: 'ip route' and 'ip rule' list those that there are`);
}
