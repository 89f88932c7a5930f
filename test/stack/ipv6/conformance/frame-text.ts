import { parseMld } from '@softnet/ipv6';
import type { IcmpMessage } from '@softnet/wire';
import { formatIpv6, formatMac, ICMPV6_TYPE, ipv6PseudoHeaderSum, parseIcmpv6, parseIpv6Packet, viewOf } from '@softnet/wire';

const OWN_MAC = '02:00:00:00:00:01';

/**
 * A frame as one line, from which it could be written again: what is not said is as its RFC has it, and checked here (link addresses, hop limit,
 * reserved bits, lengths and order of options). 'NS fd00::1 > ff02::1:ff00:9 fd00::9 s=01': of link addresses the last byte; '@09': to that one.
 */
export function textOf(bytes: Uint8Array, header: Uint8Array): string {
  const packet = parseIpv6Packet(bytes, 0, bytes.length);
  if (typeof packet === 'string') return `malformed: ${packet}`;
  const view = viewOf(bytes);
  const to = linkText(bytes, header);
  const ends = `${packet.src} > ${packet.dst}${to}`;
  const hop = packet.hopLimit === 64 ? '' : ` hop=${packet.hopLimit}`;
  if (packet.protocol === 17) return `UDP ${ends} ${packet.payload[8]}${hop}`;
  const message = parseIcmpv6(packet.payload, 0, packet.payload.length, ipv6PseudoHeaderSum(view, 0, 58, packet.payload.length));
  if (typeof message === 'string') return `malformed: ${message}`;
  const { type, code, rest } = message;
  if (type < 128) return `ERROR ${type}/${code} ${ends}`;
  if (type === ICMPV6_TYPE.ECHO_REPLY) return `ECHO ${ends} ${rest & 0xffff}`;
  if (type >= ICMPV6_TYPE.ROUTER_SOLICITATION && type <= ICMPV6_TYPE.REDIRECT) {
    const odd = packet.hopLimit !== 255 || code !== 0 || packet.headers.length > 0 || packet.trafficClass !== 0;
    return `${odd ? 'ODD ' : ''}${ndText(message, ends)}`;
  }
  const mld = type === ICMPV6_TYPE.MLD2_REPORT ? parseMld(packet.payload, 0, packet.payload.length) : 'another';
  if (typeof mld === 'string' || !('records' in mld) || packet.hopLimit !== 1 || packet.headers.length !== 1) return `type ${type} ${ends}`;
  return `MLD ${ends} ${mld.records.map((record) => formatIpv6(...record.group)).join(' ')}`;
}

/** Who the frame is for: of a group nothing, if it is as RFC 2464 §7 says. */
function linkText(bytes: Uint8Array, header: Uint8Array): string {
  const mac = formatMac(header.subarray(0, 6));
  const rest = formatMac(header.subarray(6, 12)) !== OWN_MAC || header[12] !== 0x86 || header[13] !== 0xdd;
  if (rest) return ' from another link address';
  if (bytes[24] !== 0xff) return `@${byteText(mac)}`;
  return mac === `33:33:${formatMac(bytes.slice(34, 40)).slice(6)}` ? '' : ` by ${mac}`;
}

function ndText({ type, rest, payload }: IcmpMessage, ends: string): string {
  switch (type) {
    case ICMPV6_TYPE.ROUTER_SOLICITATION:
      return `${rest === 0 ? 'RS' : 'ODD RS'} ${ends}${options(payload, 0)}`;
    case ICMPV6_TYPE.ROUTER_ADVERTISEMENT:
      return `RA ${ends} ${routerText(rest, payload)}${options(payload, 8)}`;
    case ICMPV6_TYPE.NEIGHBOR_SOLICITATION:
      return `${rest === 0 ? 'NS' : 'ODD NS'} ${ends} ${addressAt(payload, 0)}${options(payload, 16)}`;
    case ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT:
      return `NA ${flagsText(rest)} ${ends} ${addressAt(payload, 0)}${options(payload, 16)}`;
    default:
      return `${rest === 0 ? '' : 'ODD '}REDIRECT ${ends} ${addressAt(payload, 0)} for ${addressAt(payload, 16)}${options(payload, 32)}`;
  }
}

function flagsText(rest: number): string {
  const known = [
    [0x80000000, 'R'],
    [0x40000000, 'S'],
    [0x20000000, 'O'],
  ] as const;
  const text = known.map(([bit, word]) => (rest & bit ? word : '')).join('');
  return (rest & 0x1fffffff) === 0 ? text || '-' : `${text} and reserved bits`;
}

function routerText(rest: number, payload: Uint8Array): string {
  const view = viewOf(payload);
  const flags = (rest >>> 16) & 0xff;
  return `hop=${rest >>> 24} flags=${flags} life=${rest & 0xffff} reach=${view.getUint32(0)} retrans=${view.getUint32(4)}`;
}

function options(payload: Uint8Array, from: number): string {
  let text = '';
  for (let at = from, step = 0; at < payload.length; at += step) {
    step = payload[at + 1]! * 8;
    if (step === 0 || at + step > payload.length) return `${text} malformed option`;
    text += ` ${optionText(payload.slice(at, at + step))}`;
  }
  return text;
}

function optionText(option: Uint8Array): string {
  const [type] = option;
  const view = viewOf(option);
  if ((type === 1 || type === 2) && option.length === 8) return `${type === 1 ? 's' : 't'}=${byteText(formatMac(option.slice(2, 8)))}`;
  if (type === 14 && option.length === 8) return 'nonce';
  if (type === 5 && view.getUint16(2) === 0) return `mtu=${view.getUint32(4)}`;
  if (type === 4) return `quote=${option.length}`;
  if (type !== 3 || view.getUint32(12) !== 0) return `option ${type}`;
  return `prefix=${addressAt(option, 16)}/${option[2]} flags=${option[3]} ${view.getUint32(4)}/${view.getUint32(8)}`;
}

function addressAt(bytes: Uint8Array, at: number): string {
  const view = viewOf(bytes);
  return formatIpv6(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

/** Of link addresses as they are used here the last byte says all. */
function byteText(mac: string): string {
  return mac.startsWith('02:00:00:00:00:') ? mac.slice(15) : mac;
}
