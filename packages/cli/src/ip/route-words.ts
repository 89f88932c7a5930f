import type { NextHop } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { IpAddress, IpPrefix } from '@softnet/wire';
import { formatAddress, parseAddress, parsePrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpRequest, KeyedWords } from './ip-object.ts';
import { anyNumber, named, wholeNumber } from './ip-object.ts';
import { tableNumber } from './names.ts';

/** Names a device by its ifindex. */
export type DeviceName = (ifindex: number) => string;

export function deviceNameOf({ host }: Pick<IpRequest, 'host'>): DeviceName {
  return (ifindex) => host.devices.find((device) => device.ifindex === ifindex)?.name ?? `if${ifindex}`;
}

/** @throws UsageError */
export function addressOf(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === null) throw new UsageError(`'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
  return address;
}

/** 'default' is of the family that is known otherwise, IPv4 if none is. @throws UsageError */
export function prefixOf(text: string, family: number | undefined): IpPrefix {
  const all = family === ADDRESS_FAMILY.INET6 ? '::/0' : '0.0.0.0/0';
  const prefix = parsePrefix(text === 'default' || text === 'all' ? all : text);
  if (prefix === null) throw new UsageError(`'${text}' is no prefix: write 192.0.2.0/24, 2001:db8::/32 or default`);
  return prefix;
}

/** @throws UsageError */
export function tableOf(text: string): number {
  return named(text, tableNumber(text), 'table takes main, local, default or a number');
}

/** DSCP << 2, in hexadecimal as `ip` has it: 10 is 0x10. @throws UsageError */
export function tosOf(text: string): number {
  return anyNumber(/^[\da-f]{1,2}$/i.test(text) ? `0x${text}` : text, 'tos');
}

/** 'SOURCE/DESTINATION', or the latter. @throws UsageError */
export function realmsOf(text: string): number {
  const [to, from = '0'] = text.split('/').reverse() as [string, string?];
  return (wholeNumber(from, 'realms') << 16) | wholeNumber(to, 'realms');
}

export function realmsText(realms: number): string {
  return realms >>> 16 === 0 ? `${realms}` : `${realms >>> 16}/${realms & 0xffff}`;
}

/** `via` may name the family of its address: iproute2 wants that where it is another. */
export function withoutFamilies(words: readonly string[]): readonly string[] {
  return words.filter((word, index) => !((word === 'inet' || word === 'inet6') && words[index - 1] === 'via'));
}

/** The way that words with `via` and `dev` describe; undefined: they say none. @throws UsageError, NetError ENODEV. */
export function wayOf({ host }: IpRequest, { by }: KeyedWords, onLink: boolean): NextHop | undefined {
  if (by.via === undefined && by.dev === undefined) {
    if (onLink) throw new UsageError('onlink is said of a gateway: via GATEWAY dev DEVICE');
    return undefined;
  }
  const gateway = by.via === undefined ? undefined : addressOf(by.via);
  return {
    ifindex: by.dev === undefined ? 0 : host.device(by.dev).ifindex,
    ...(gateway === undefined ? {} : { gateway: { family: gateway.family, address: gateway.words } }),
    ...(by.weight === undefined ? {} : { weight: wholeNumber(by.weight, 'weight') }),
    ...(onLink ? { onLink } : {}),
  };
}

/** 'via inet6 fe80::1 dev eth0'. @param family of what goes that way. */
export function wayWords({ gateway, ifindex }: NextHop, family: number, deviceName: DeviceName): string[] {
  const other = gateway !== undefined && gateway.family !== family;
  return [
    ...(gateway === undefined ? [] : ['via', ...(other ? ['inet6'] : []), formatAddress(gateway.family, ...gateway.address)]),
    ...(ifindex === 0 ? [] : ['dev', deviceName(ifindex)]),
  ];
}
