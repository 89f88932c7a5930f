import type { AddressWords } from '@softnet/contract';
import { SkbPools } from '@softnet/contract';
import type { MldMessage, MldQuery } from '@softnet/ipv6';
import { emitMld, parseMld } from '@softnet/ipv6';
import type { KernelOptions } from '@softnet/kernel';
import type { Ipv6Packet } from '@softnet/wire';
import { finishIcmpv6, formatIpv6, parseIpv6, pseudoHeaderSum } from '@softnet/wire';
import { RawPeer } from './raw-peer.ts';

const RECORDS = ['', 'IS_IN', 'IS_EX', 'TO_IN', 'TO_EX', 'ALLOW', 'BLOCK'];
const MLD = new Set([130, 131, 132, 143]);
/** A host that says what it does. */
export const REPORTS = Object.freeze({ 'net.ipv6.conf.default.mld_reports': true });
/** Hop-by-hop: the router alert for MLD. */
export const ALERT = Object.freeze([{ type: 0, options: [{ type: 5, data: new Uint8Array(2) }] }] as const);
const QUERIER = 'fe80::9';

export const words = (text: string): AddressWords => parseIpv6(text)!;

/** A query of version 2, as it should be. @param group '::': general. */
export function query(group: string, rest: Partial<MldQuery> = {}): MldQuery {
  const usual = { type: 130, version: 2, maxResponseMs: 1000, suppress: false, robustness: 2, intervalS: 125, sources: [] } as const;
  return { ...usual, group: words(group), ...rest };
}

/** A host with MLD on one link, and what is said there. */
export class MldLink {
  readonly peer: RawPeer;

  private constructor(peer: RawPeer) {
    this.peer = peer;
  }

  static async open(settings: NonNullable<KernelOptions['settings']> = {}): Promise<MldLink> {
    const link = new MldLink(await RawPeer.boot({ settings: { ...REPORTS, ...settings } }));
    await link.peer.net.pass(30_000);
    link.peer.received.length = 0;
    link.peer.drops();
    return link;
  }

  get skbsOut(): number {
    return this.peer.host.kernel.port(SkbPools).current.usage()[0]!.skbsOut;
  }

  /** Sent as it should be, but for what is said otherwise. @param change of the whole packet's ICMPv6 part; its checksum is mended. */
  send(message: MldMessage, packet: Partial<Ipv6Packet> = {}, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): void {
    const {
      src = QUERIER,
      dst = 'group' in message && message.group.some((word) => word !== 0) ? formatIpv6(...message.group) : 'ff02::1',
    } = packet;
    const bytes = change(emitMld(message, (lenBytes) => pseudo(src, dst, lenBytes)));
    if (bytes.length >= 4 && packet.payload === undefined)
      finishIcmpv6(new DataView(bytes.buffer), 0, bytes.length, pseudo(src, dst, bytes.length));
    this.peer.packet({ protocol: 58, hopLimit: 1, headers: ALERT, payload: bytes, ...packet, src, dst });
  }

  /** What was said of groups since the last time: 'TO_EX ff05::1 a b'; a report's records joined by ' + ' where `whole`. */
  async said(ms: number): Promise<string[]> {
    const packets = await this.peer.answers(ms);
    return packets.flatMap((packet) => this.textsOf(packet));
  }

  textsOf({ payload, protocol, dst, hopLimit, headers, src }: Ipv6Packet): string[] {
    if (protocol !== 58 || !MLD.has(payload[0]!)) return [];
    const message = parseMld(payload, 0, payload.length);
    if (typeof message === 'string' || message.type === 130) return [`?${String(message)}`];
    const isWell = hopLimit === 1 && headers.length === 1 && headers[0]!.type === 0 && (src.startsWith('fe80:') || src === '::');
    const from = isWell ? (src === '::' ? ' from ::' : '') : ' BADLY';
    if (message.type === 143) {
      const to = dst === 'ff02::16' ? from : ` to ${dst}${from}`;
      return message.records.map(({ type, group, sources }) => {
        return `${[RECORDS[type], formatIpv6(...group), ...sources.map((source) => formatIpv6(...source))].join(' ')}${to}`;
      });
    }
    return [`${message.type === 131 ? 'REPORT' : 'DONE'} ${formatIpv6(...message.group)} to ${dst}${from}`];
  }
}

function pseudo(src: string, dst: string, lenBytes: number): number {
  return pseudoHeaderSum(...words(src), ...words(dst), 58, lenBytes);
}
