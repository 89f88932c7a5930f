import { emitIcmpv6, parseIpv6, pseudoHeaderSum, viewOf } from '@softnet/wire';
import type { RawPeer } from '../raw-peer.ts';
import { HOST, PEER } from '../raw-peer.ts';

/** Who sends what is written by hand. */
export type Writer = Pick<RawPeer, 'bytes'>;

/** A packet, or several, that somebody sends to a host; what decides is `rfc`. */
export interface Row {
  /** '8200 §4.2' */
  readonly rfc: string;
  readonly what: string;
  readonly send: (peer: Writer) => void;
  /** Reasons under which the host drops; none: it is delivered, or passed on. */
  readonly drops: readonly string[];
  /** What the host says, as `RawPeer.messages` writes it: '4/2 @42' is type 4, code 2, pointer 42; '129' an echo reply. */
  readonly answers: readonly string[];
  /** The host is a router. */
  readonly router?: true;
  /** Settings that differ. */
  readonly settings?: Readonly<Record<string, number | boolean>>;
}

export interface RawPacket {
  /** Of the header; by default PEER and HOST. */
  readonly src?: string;
  readonly dst?: string;
  readonly hopLimit?: number;
  readonly version?: number;
  /** What it says, where that is not what follows. */
  readonly payloadBytes?: number;
}

export function bytesOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const chunks = parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : part));
  return Uint8Array.from(Buffer.concat(chunks));
}

/** A whole packet: the fixed header, then what is given. @param first its next header. */
export function rawPacket(first: number, body: Uint8Array, packet: RawPacket = {}): Uint8Array {
  const { src = PEER, dst = HOST, hopLimit = 64, version = 6, payloadBytes = body.length } = packet;
  const bytes = new Uint8Array(40 + body.length);
  const view = viewOf(bytes);
  view.setUint8(0, version << 4);
  view.setUint16(4, payloadBytes);
  view.setUint8(6, first);
  view.setUint8(7, hopLimit);
  for (const [at, text] of [[8, src] as const, [24, dst] as const]) {
    for (const [i, word] of parseIpv6(text)!.entries()) view.setInt32(at + 4 * i, word);
  }
  bytes.set(body, 40);
  return bytes;
}

/** An ICMPv6 message with its checksum. */
export function icmp(
  type: number,
  code: number,
  rest: number,
  payload: Uint8Array,
  { src = PEER, dst = HOST }: RawPacket = {},
): Uint8Array {
  const pseudo = pseudoHeaderSum(...parseIpv6(src)!, ...parseIpv6(dst)!, 58, 8 + payload.length);
  return emitIcmpv6({ type, code, rest, payload }, pseudo);
}

/** Eight bytes that the host answers. */
export function echo(packet: RawPacket = {}): Uint8Array {
  return icmp(128, 0, 0x10001, new Uint8Array(0), packet);
}

/** Sends one packet of these bytes. */
export function sends(first: number, body: Uint8Array, packet: RawPacket = {}): (peer: Writer) => void {
  return (peer) => peer.bytes(rawPacket(first, body, packet), packet.dst ?? HOST);
}
