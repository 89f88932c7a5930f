import type { ControlMessage, Message, OptionLevel, PacketOptions, Skb, SockCommon } from '@softnet/contract';
import { ERRNO, IP_PROTOCOL, putControl, SOCK_FLAG, SOCK_TYPE, SOL, UDP_OPTION } from '@softnet/contract';
import { datagramOptions, intAt, putInt } from '@softnet/inet';

/** Linux's number. */
export const SOL_UDP: number = SOL.UDP;
export { UDP_OPTION };

const MAX_SEGMENT_BYTES = 0xffff;
const { ENOPROTOOPT, EINVAL } = ERRNO;

/** SOL_UDP of Linux's udp(7): corks, bursts, and datagrams without a checksum over IPv6 (RFC 6935, RFC 6936). */
export class UdpOptions implements OptionLevel {
  readonly level = SOL.UDP;
  /** Sockets that have asked for merged datagrams. */
  readonly #asked: Set<SockCommon>;
  readonly #push: (sock: SockCommon) => void;

  /** @param push sends what has grown in a corked socket. */
  constructor(asked: Set<SockCommon>, push: (sock: SockCommon) => void) {
    this.#asked = asked;
    this.#push = push;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (!isUdp(sock)) return -ENOPROTOOPT;
    if (value.length < 4) return -EINVAL;
    const word = intAt(value, 0);
    const options = datagramOptions(sock);
    switch (name) {
      case UDP_OPTION.CORK:
        options.corked = word !== 0;
        if (word === 0) this.#push(sock);
        return 0;
      case UDP_OPTION.NO_CHECK6_TX:
        options.unsummedSent = word !== 0;
        return 0;
      case UDP_OPTION.NO_CHECK6_RX:
        options.unsummedReceived = word !== 0;
        return 0;
      case UDP_OPTION.SEGMENT:
        if (word < 0 || word > MAX_SEGMENT_BYTES) return -EINVAL;
        options.segmentBytes = word;
        return 0;
      case UDP_OPTION.GRO:
        options.takesMerged = word !== 0;
        if (word !== 0) this.#asked.add(sock);
        else this.#asked.delete(sock);
        if (word !== 0) sock.flags |= SOCK_FLAG.ANCILLARY;
        return 0;
      default:
        return -ENOPROTOOPT;
    }
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    const word = isUdp(sock) ? numberOf(sock, name) : -1;
    if (word < 0) return -ENOPROTOOPT;
    if (value.length < 4) return -EINVAL;
    putInt(value, 0, word);
    return 4;
  }

  closed(sock: SockCommon): void {
    this.#asked.delete(sock);
  }

  /** UDP_GRO: the size of those that were merged, an int. */
  received(sock: SockCommon, { gsoSize }: Skb, message: Message): void {
    if (gsoSize !== 0 && isUdp(sock) && datagramOptions(sock).takesMerged)
      putInt(putControl(message, SOL.UDP, UDP_OPTION.GRO, 4), 0, gsoSize);
  }

  /** UDP_SEGMENT: of a single call, two bytes. */
  sending(_sock: SockCommon, { type, data }: ControlMessage, packet: PacketOptions): number {
    if (type !== UDP_OPTION.SEGMENT || data.length !== 2) return -EINVAL;
    packet.segmentBytes = data[0]! | (data[1]! << 8);
    return 0;
  }
}

/** -1: there is no such option. */
function numberOf(sock: SockCommon, name: number): number {
  const { corked, unsummedSent, unsummedReceived, segmentBytes, takesMerged } = datagramOptions(sock);
  switch (name) {
    case UDP_OPTION.CORK:
      return Number(corked);
    case UDP_OPTION.NO_CHECK6_TX:
      return Number(unsummedSent);
    case UDP_OPTION.NO_CHECK6_RX:
      return Number(unsummedReceived);
    case UDP_OPTION.SEGMENT:
      return segmentBytes;
    case UDP_OPTION.GRO:
      return Number(takesMerged);
    default:
      return -1;
  }
}

function isUdp({ protocol, ops }: SockCommon): boolean {
  return protocol === IP_PROTOCOL.UDP && ops.type === SOCK_TYPE.DGRAM;
}
