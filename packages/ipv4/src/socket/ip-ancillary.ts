import type { ControlMessage, DeviceTraffic, PacketOptions, Port, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_SCOPE, ADDRESS_TYPE, ERRNO, IP_OPTION, IPV4_WORD2, Message, putControl, SOL } from '@softnet/contract';
import { intAt, putControlMessages, putInt, putPort, putWord, wordAt } from '@softnet/inet';
import { dstPort, IPV4_HEADER_BYTES, ipv4Dst, ipv4HeaderBytes, ipv4Src, ipv4Tos, ipv4Ttl } from '@softnet/wire';
import type { AddressBook } from '../machine/address-book.ts';
import { compileOptions, OptionBlock, reverseOptions, writeAsSet } from '../machine/option-block.ts';
import { optionsOf } from '../machine/sock-options.ts';

const { EINVAL, ENODEV } = ERRNO;
const PKTINFO_BYTES = 12;
const IN_BYTES = 16;
const MAX_OPTION_BYTES = 40;

/** What a socket may want to be told of each packet, one bit each: `Ipv4SockOptions.ancillary`. */
export const ANCILLARY_BIT: Readonly<Record<number, number>> = Object.freeze({
  [IP_OPTION.PKTINFO]: 0x1,
  [IP_OPTION.RECVTTL]: 0x2,
  [IP_OPTION.RECVTOS]: 0x4,
  [IP_OPTION.RECVOPTS]: 0x8,
  [IP_OPTION.RETOPTS]: 0x10,
  [IP_OPTION.ORIGDSTADDR]: 0x20,
  // Kept; there is nothing to be told: no labels, no sums of devices, and no sizes of fragments that were put together.
  [IP_OPTION.PASSSEC]: 0x40,
  [IP_OPTION.CHECKSUM]: 0x80,
  [IP_OPTION.RECVFRAGSIZE]: 0x100,
});

/** Control messages of SOL_IP, received and sent (Linux's ip(7)): as `ip_cmsg_recv_offset` and `ip_cmsg_send` have them. */
export class IpAncillary {
  readonly #book: AddressBook;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #block = new OptionBlock();

  constructor(book: AddressBook, traffic: Port<DeviceTraffic>) {
    this.#book = book;
    this.#traffic = traffic;
  }

  received(sock: SockCommon, skb: Skb, message: Message): void {
    const options = optionsOf(sock);
    const { network, transport, memory } = skb;
    const { view } = memory;
    if (options === null || options.ancillary === 0 || view.getUint8(network) >>> 4 !== 4) return;
    const { ancillary } = options;
    if ((ancillary & 0x1) !== 0) this.#tellPlace(skb, message);
    if ((ancillary & 0x2) !== 0) putInt(putControl(message, SOL.IP, IP_OPTION.TTL, 4), 0, ipv4Ttl(view, network));
    if ((ancillary & 0x4) !== 0) putControl(message, SOL.IP, IP_OPTION.TOS, 1)[0] = ipv4Tos(view, network);
    if ((ancillary & 0x18) !== 0 && ipv4HeaderBytes(view, network) > IPV4_HEADER_BYTES)
      this.#tellOptions(view, network, ancillary, message);
    if ((ancillary & 0x20) === 0) return;
    const bytes = putControl(message, SOL.IP, IP_OPTION.ORIGDSTADDR, IN_BYTES);
    bytes.fill(0);
    bytes[0] = ADDRESS_FAMILY.INET;
    putPort(bytes, 2, dstPort(view, transport));
    putWord(bytes, 4, ipv4Dst(view, network));
  }

  /** Of a stream: for {@link tellLatest}. */
  noted(sock: SockCommon, { network, ifindex, memory: { view } }: Skb): void {
    const options = optionsOf(sock);
    if (options === null || options.ancillary === 0 || view.getUint8(network) >>> 4 !== 4) return;
    options.latestIfindex = ifindex;
    options.latestTtl = ipv4Ttl(view, network);
    options.latestTos = ipv4Tos(view, network);
  }

  /** 0, or -errno. */
  sending({ type, data }: ControlMessage, packet: PacketOptions): number {
    switch (type) {
      case IP_OPTION.PKTINFO:
        return this.#sendFrom(data, packet);
      case IP_OPTION.TTL: {
        const ttl = data.length === 4 ? intAt(data, 0) : 0;
        if (ttl < 1 || ttl > 255) return -EINVAL;
        packet.hopLimit = ttl;
        return 0;
      }
      case IP_OPTION.TOS: {
        const tos = data.length === 4 ? intAt(data, 0) : data.length === 1 ? data[0]! : -1;
        if (tos < 0 || tos > 255) return -EINVAL;
        packet.trafficClass = tos;
        return 0;
      }
      case IP_OPTION.RETOPTS: {
        const block = compileOptions(data.length <= MAX_OPTION_BYTES ? data : data.subarray(0, MAX_OPTION_BYTES));
        packet.headers = block;
        return block === null ? -EINVAL : 0;
      }
      default:
        return -EINVAL;
    }
  }

  /** `in_pktinfo`: interface, the address of ours that answers come from, and that of the header. */
  #tellPlace({ network, ifindex, memory: { view } }: Skb, message: Message): void {
    const destination = ipv4Dst(view, network);
    const isOurs = this.#book.typeOf(destination, 0) === ADDRESS_TYPE.LOCAL;
    const device = isOurs ? null : this.#traffic.current.byIndex(ifindex);
    const here = isOurs ? destination : this.#book.sourceFor(device, ipv4Src(view, network), ADDRESS_SCOPE.LINK);
    const bytes = putControl(message, SOL.IP, IP_OPTION.PKTINFO, PKTINFO_BYTES);
    putInt(bytes, 0, ifindex);
    putWord(bytes, 4, here);
    putWord(bytes, 8, destination);
  }

  /** As they came, and as an answer would have them. */
  #tellOptions(view: DataView, network: number, ancillary: number, message: Message): void {
    const end = network + ipv4HeaderBytes(view, network);
    if ((ancillary & 0x8) !== 0) {
      const bytes = putControl(message, SOL.IP, IP_OPTION.RECVOPTS, end - network - IPV4_HEADER_BYTES);
      for (let i = 0; i < bytes.length; i++) bytes[i] = view.getUint8(network + IPV4_HEADER_BYTES + i);
    }
    const block = this.#block;
    if ((ancillary & 0x10) === 0 || !reverseOptions(view, network, end, block) || block.lenBytes === 0) return;
    writeAsSet(block, putControl(message, SOL.IP, IP_OPTION.RETOPTS, block.lenBytes));
  }

  /** That the source is ours is looked at where the packet's way is. */
  #sendFrom(data: Uint8Array, packet: PacketOptions): number {
    if (data.length !== PKTINFO_BYTES) return -EINVAL;
    const ifindex = intAt(data, 0);
    if (ifindex !== 0 && this.#traffic.current.byIndex(ifindex) === null) return -ENODEV;
    packet.ifindex = ifindex;
    const source = wordAt(data, 4);
    packet.source2 = source === 0 ? 0 : IPV4_WORD2;
    packet.source3 = source;
    return 0;
  }
}

/** IP_PKTOPTIONS: what a stream is told of its latest packet, as control messages one after the other. Bytes written. */
export function tellLatest(sock: SockCommon, value: Uint8Array): number {
  const options = optionsOf(sock);
  if (options === null) return 0;
  const { ancillary, latestIfindex, latestTtl, latestTos } = options;
  const message = new Message();
  if ((ancillary & 0x1) !== 0) {
    const bytes = putControl(message, SOL.IP, IP_OPTION.PKTINFO, PKTINFO_BYTES);
    putInt(bytes, 0, latestIfindex);
    putWord(bytes, 4, sock.local3);
    putWord(bytes, 8, sock.local3);
  }
  if ((ancillary & 0x2) !== 0) putInt(putControl(message, SOL.IP, IP_OPTION.TTL, 4), 0, latestTtl);
  if ((ancillary & 0x4) !== 0) putInt(putControl(message, SOL.IP, IP_OPTION.TOS, 4), 0, latestTos);
  return putControlMessages(value, message.control);
}
