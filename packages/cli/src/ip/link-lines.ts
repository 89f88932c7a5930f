import type { NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, isRunning, LINK_TYPE } from '@softnet/contract';
import { operstateName } from './names.ts';

/** In the order in which iproute2 writes them. */
const FLAGS = Object.freeze([
  ['LOOPBACK', DEVICE_FLAG.LOOPBACK],
  ['BROADCAST', DEVICE_FLAG.BROADCAST],
  ['POINTOPOINT', DEVICE_FLAG.POINTOPOINT],
  ['MULTICAST', DEVICE_FLAG.MULTICAST],
  ['NOARP', DEVICE_FLAG.NOARP],
  ['ALLMULTI', DEVICE_FLAG.ALLMULTI],
  ['PROMISC', DEVICE_FLAG.PROMISC],
  ['UP', DEVICE_FLAG.UP],
] as const);

const LINKS: ReadonlyMap<number, string> = new Map([
  [LINK_TYPE.ETHER, 'ether'],
  [LINK_TYPE.LOOPBACK, 'loopback'],
  [LINK_TYPE.TUNNEL, 'ipip'],
  [LINK_TYPE.NONE, 'none'],
]);

/** A device as `ip link` shows it: two lines. */
export function linkLines(device: NetDevice): string[] {
  const { ifindex, name, lower, mtuBytes, qdisc, operstate, txQueueLen, type, address, broadcast } = device;
  const below = lower === null ? '' : `@${lower.name}`;
  const queue = `qdisc ${qdisc?.kind ?? 'noop'} state ${operstateName(operstate)} qlen ${txQueueLen}`;
  const link = `    link/${LINKS.get(type) ?? type}`;
  return [
    `${ifindex}: ${name}${below}: <${flagNames(device).join(',')}> mtu ${mtuBytes} ${queue}`,
    device.addressLen === 0 ? link : `${link} ${linkAddress(address)} brd ${linkAddress(broadcast)}`,
  ];
}

/** A device in one line, as `ip -br` shows it, with its addresses or its link address and flags. */
export function briefLine(device: NetDevice, words: readonly string[]): string {
  const { name, lower, operstate } = device;
  const whole = lower === null ? name : `${name}@${lower.name}`;
  return `${whole.padEnd(16)} ${operstateName(operstate).padEnd(14)} ${words.join(' ')}`.trimEnd();
}

/** What `ip -br link` says of it. */
export function briefLink(device: NetDevice): string[] {
  return [...(device.addressLen === 0 ? [] : [linkAddress(device.address)]), `<${flagNames(device).join(',')}>`];
}

/** Up, but nothing is at the other end: NO-CARRIER first, as iproute2 does. */
function flagNames(device: NetDevice): string[] {
  const up = (device.flags & DEVICE_FLAG.UP) !== 0;
  const names = FLAGS.filter(([, bit]) => (device.flags & bit) !== 0).map(([name]) => name);
  return [
    ...(up && !device.carrier ? ['NO-CARRIER'] : []),
    ...names,
    ...(up && device.carrier ? ['LOWER_UP'] : []),
    ...(up && device.dormant && !isRunning(device) ? ['DORMANT'] : []),
  ];
}

/** A link address of any length: 02:00:00:00:00:01. */
export function linkAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** What `ip -s link` adds: bytes and packets, both ways. */
export function statisticsLines({ stats }: NetDevice): string[] {
  const { rxBytes, rxPackets, rxErrors, rxDropped, rxMissed, multicast, txBytes, txPackets, txErrors, txDropped } = stats;
  return [
    ...figures(
      'RX',
      ['bytes', 'packets', 'errors', 'dropped', 'missed', 'mcast'],
      [rxBytes, rxPackets, rxErrors, rxDropped, rxMissed, multicast],
    ),
    ...figures('TX', ['bytes', 'packets', 'errors', 'dropped'], [txBytes, txPackets, txErrors, txDropped]),
  ];
}

function figures(way: string, titles: readonly string[], values: readonly number[]): string[] {
  const widths = titles.map((title, index) => Math.max(title.length, String(values[index]).length));
  const line = (cells: readonly string[]): string => cells.map((cell, index) => cell.padStart(widths[index]!)).join('  ');
  return [`    ${way}:  ${line(titles)}`, `         ${line(values.map(String))}`];
}
