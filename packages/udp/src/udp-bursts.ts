import type { Message, OptionLevel, Skb, SockCommon } from '@softnet/contract';
import { ControlMessage, DEVICE_FEATURE, ERRNO, IP_PROTOCOL, SOCK_TYPE } from '@softnet/contract';
import type { DatagramBursts } from '@softnet/inet';
import { burstOptions } from '@softnet/inet';

/** Linux's number. */
export const SOL_UDP = 17;
/** Names of options of SOL_UDP, with Linux's numbers. */
export const UDP_OPTION = Object.freeze({
  /** Bytes of each datagram that what is sent is cut into; 0: not at all. Also a control message of a single call, of two bytes. */
  SEGMENT: 103,
  /** Merged datagrams come whole, with their size in a control message, an int. */
  GRO: 104,
} as const);

const MAX_SEGMENT_BYTES = 0xffff;

/** A socket's bursts: what is cut late when it is sent (UDP_SEGMENT), and comes whole (UDP_GRO). Linux's udp(7). */
export class UdpBursts implements DatagramBursts, OptionLevel {
  readonly level = SOL_UDP;
  readonly gsoType = DEVICE_FEATURE.GSO_UDP;
  /** Sockets that have asked for merged datagrams. */
  readonly #asked: Set<SockCommon>;

  constructor(asked: Set<SockCommon>) {
    this.#asked = asked;
  }

  sizeOf(sock: SockCommon, { control }: Message): number {
    for (let each = control; each !== null; each = each.next) {
      if (each.level !== SOL_UDP || each.type !== UDP_OPTION.SEGMENT) continue;
      return each.data.length === 2 ? each.data[0]! | (each.data[1]! << 8) : -ERRNO.EINVAL;
    }
    return burstOptions(sock).segmentBytes;
  }

  takesWhole(sock: SockCommon): boolean {
    return burstOptions(sock).takesMerged;
  }

  tell({ gsoSize }: Skb, kept: ControlMessage | null): ControlMessage {
    const control = kept ?? new ControlMessage(SOL_UDP, UDP_OPTION.GRO, new Uint8Array(4));
    putInt(control.data, gsoSize);
    return control;
  }

  // SOL_UDP.

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (!isUdp(sock) || (name !== UDP_OPTION.SEGMENT && name !== UDP_OPTION.GRO)) return -ERRNO.ENOPROTOOPT;
    if (value.length < 4) return -ERRNO.EINVAL;
    const word = value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24);
    const options = burstOptions(sock);
    if (name === UDP_OPTION.SEGMENT) {
      if (word < 0 || word > MAX_SEGMENT_BYTES) return -ERRNO.EINVAL;
      options.segmentBytes = word;
      return 0;
    }
    options.takesMerged = word !== 0;
    if (options.takesMerged) this.#asked.add(sock);
    else this.#asked.delete(sock);
    return 0;
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    if (!isUdp(sock) || (name !== UDP_OPTION.SEGMENT && name !== UDP_OPTION.GRO)) return -ERRNO.ENOPROTOOPT;
    if (value.length < 4) return -ERRNO.EINVAL;
    const { segmentBytes, takesMerged } = burstOptions(sock);
    putInt(value, name === UDP_OPTION.SEGMENT ? segmentBytes : Number(takesMerged));
    return 4;
  }

  closed(sock: SockCommon): void {
    this.#asked.delete(sock);
  }
}

function isUdp({ protocol, ops }: SockCommon): boolean {
  return protocol === IP_PROTOCOL.UDP && ops.type === SOCK_TYPE.DGRAM;
}

/** Little-endian, as in Linux's ABI. */
function putInt(bytes: Uint8Array, word: number): void {
  for (let i = 0; i < 4; i++) bytes[i] = (word >>> (8 * i)) & 0xff;
}
