import type { Counter, Message, NetDevice, PacketOptions, Skb, SockCommon } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DEVICE_FLAG,
  ERRNO,
  ETHERTYPE,
  LINK_TYPE,
  MESSAGE_FLAG,
  SKB_TYPE,
  SOCK_BUFFER_BYTES,
  SOCK_TYPE,
  TRANSMIT,
} from '@softnet/contract';
import { adoptPacket, copyMessage, SentControl } from '@softnet/inet';
import { gather, PAGE_BYTES } from '@softnet/skb';
import { ETHERNET_HEADER_BYTES, ETHERNET_TYPE, VLAN_TAG_BYTES } from '@softnet/wire';
import { LINK_ADDRESS_BYTES, readLinkAddress } from './link-address.ts';
import type { PacketHost } from './packet-host.ts';
import { stateOf } from './packet-state.ts';

/** From `send` to the device: a frame as its user wrote it, or with the link header that its address says. Allocates nothing once warm. Linux's `packet_snd`. */
export class FrameSender {
  readonly #host: PacketHost;
  readonly #sent: Counter;
  /** Of the packet at hand; as long as its device's addresses are. */
  #destination = new Uint8Array(0);
  readonly #control: SentControl;
  /** What the control messages of the packet at hand say; null: nothing. */
  #packet: PacketOptions | null = null;

  constructor(host: PacketHost, sent: Counter) {
    this.#host = host;
    this.#sent = sent;
    this.#control = new SentControl(host);
  }

  /** Bytes of the user's, or -errno. With MESSAGE_FLAG.SKB, `message.skb` is null when the packet was taken. */
  send(sock: SockCommon, message: Message): number {
    const state = stateOf(sock);
    const lenBytes = lengthOf(message);
    if (state.closed) return -ERRNO.EBADF;
    if (lenBytes < 0 || (message.hasAddress && message.address.family !== ADDRESS_FAMILY.PACKET)) return -ERRNO.EINVAL;
    const device = this.#host.traffic.current.byIndex(message.hasAddress ? message.address.ifindex : sock.ifindex);
    if (device === null) return -ERRNO.ENXIO;
    const ethertype = message.hasAddress ? message.address.port : sock.localPort;
    const refused = this.#refuses(sock, message, device, ethertype, lenBytes);
    if (refused < 0) return refused;
    const isRaw = state.type === SOCK_TYPE.RAW;
    const skb =
      (message.flags & MESSAGE_FLAG.SKB) === 0
        ? this.#copy(message, device, lenBytes, isRaw)
        : adoptPacket(message, device.headroomBytes, device.tailroomBytes);
    if (skb === null) return -ERRNO.ENOBUFS;
    const wrong = isRaw ? asItIs(skb, device, ethertype) : 0;
    if (!isRaw) this.#dress(skb, device, ethertype);
    if (wrong === 0) return this.#transmit(skb, sock, device, lenBytes);
    if ((message.flags & MESSAGE_FLAG.SKB) === 0) skb.memory.pool.release(skb);
    else message.skb = skb;
    return wrong;
  }

  /** In Linux's order. */
  #refuses(sock: SockCommon, message: Message, device: NetDevice, ethertype: number, lenBytes: number): number {
    if ((device.flags & DEVICE_FLAG.UP) === 0) return -ERRNO.ENETDOWN;
    const isRaw = stateOf(sock).type === SOCK_TYPE.RAW;
    const headerBytes = isRaw ? device.link.headerBytes : 0;
    const said = this.#readControl(sock, message);
    if (said < 0) return said;
    if (lenBytes > device.mtuBytes + headerBytes + VLAN_TAG_BYTES) return -ERRNO.EMSGSIZE;
    const refused = mayNotSend(sock);
    if (refused < 0) return refused;
    if (isRaw) return lenBytes < headerBytes ? -ERRNO.EINVAL : 0;
    if (!this.#aim(message, device)) return -ERRNO.EINVAL;
    return lenBytes > device.mtuBytes && !isTag(device, ethertype) ? -ERRNO.EMSGSIZE : 0;
  }

  #readControl(sock: SockCommon, { control }: Message): number {
    this.#packet = control === null ? null : this.#control.packet;
    return control === null ? 0 : this.#control.read(sock, control, sock.family);
  }

  /** To which link address. False: it is not said, and the link has such; or it is longer than its place. */
  #aim(message: Message, device: NetDevice): boolean {
    const { addressLen, flags } = device;
    if (message.hasAddress && (message.address.address0 & 0xff) > LINK_ADDRESS_BYTES) return false;
    if (this.#destination.length !== addressLen) this.#destination = new Uint8Array(addressLen);
    if (message.hasAddress) readLinkAddress(message.address, this.#destination);
    else this.#destination.fill(0);
    return message.hasAddress || addressLen === 0 || (flags & (DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.NOARP)) !== 0;
  }

  /** Null: memory is out. */
  #copy(message: Message, device: NetDevice, lenBytes: number, isRaw: boolean): Skb | null {
    const headroomBytes = device.headroomBytes;
    const linearBytes = lenBytes + device.tailroomBytes;
    const headBytes = headroomBytes + linearBytes <= PAGE_BYTES ? linearBytes : isRaw ? device.link.headerBytes : 0;
    return copyMessage(this.#host.pool.current, message, headroomBytes, headBytes);
  }

  /** Puts the link header before it. */
  #dress(skb: Skb, device: NetDevice, ethertype: number): void {
    skb.network = skb.data;
    device.link.write(skb, device, ethertype, this.#destination, null);
  }

  #transmit(skb: Skb, sock: SockCommon, device: NetDevice, lenBytes: number): number {
    const { account, traffic, current } = this.#host;
    this.#mark(skb, sock);
    skb.type = SKB_TYPE.OUTGOING;
    skb.sock = sock;
    sock.sendQueuedBytes += skb.truesize;
    account.add(skb.truesize);
    const caller = current.id;
    current.id = traffic.owner;
    const result = traffic.current.transmit(device, skb);
    current.id = caller;
    if (result === TRANSMIT.DROPPED) return -ERRNO.ENOBUFS;
    this.#sent.value++;
    return lenBytes;
  }

  #mark(skb: Skb, { options }: SockCommon): void {
    if (options !== null) {
      skb.mark = options.mark;
      skb.priority = options.priority;
    }
    const packet = this.#packet;
    if (packet === null) return;
    if (packet.hasMark) skb.mark = packet.mark;
    if (packet.priority >= 0) skb.priority = packet.priority;
    if (packet.departUs !== 0) skb.timeUs = packet.departUs;
  }
}

/** What was reported, and what is on its way: asked where memory is, as in Linux. */
function mayNotSend(sock: SockCommon): number {
  if (sock.error !== 0) {
    const { error } = sock;
    sock.error = 0;
    return -error;
  }
  const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.sendLimitBytes;
  if (sock.sendQueuedBytes < limitBytes) return 0;
  stateOf(sock).blocked = true;
  return -ERRNO.EAGAIN;
}

/** Four bytes more may be sent for it. As in Linux, the outer tag of IEEE 802.1ad is none. */
function isTag({ type }: NetDevice, ethertype: number): boolean {
  return type === LINK_TYPE.ETHER && ethertype === ETHERTYPE.VLAN;
}

/** A whole frame. -EMSGSIZE: longer than the MTU allows, and no tag is the reason. Where its user has named no ethertype, it says it itself. */
function asItIs(skb: Skb, device: NetDevice, named: number): number {
  const { headerBytes } = device.link;
  if (!gather(skb, Math.max(headerBytes, Math.min(1, skb.len)))) return -ERRNO.ENOBUFS;
  const { view } = skb.memory;
  const isEthernet = headerBytes === ETHERNET_HEADER_BYTES;
  const written = isEthernet ? view.getUint16(skb.data + ETHERNET_TYPE) : versionOf(skb);
  if (skb.len > device.mtuBytes + headerBytes && !isTag(device, written)) return -ERRNO.EMSGSIZE;
  skb.mac = skb.data;
  skb.network = skb.data + headerBytes;
  skb.protocol = named === 0 || named === ETHERTYPE.ALL ? written : named;
  return 0;
}

/** On links without a header IP says itself what it is. */
function versionOf(skb: Skb): number {
  const version = skb.len === 0 ? 0 : skb.memory.bytes[skb.data]! >>> 4;
  return version === 4 ? ETHERTYPE.IPV4 : version === 6 ? ETHERTYPE.IPV6 : 0;
}

/** Bytes of the user's; -1: it says SKB, and has none. */
function lengthOf({ flags, skb, data, more }: Message): number {
  if ((flags & MESSAGE_FLAG.SKB) !== 0) return skb === null ? -1 : skb.len;
  let lenBytes = data === null ? 0 : data.length;
  if (more !== null) for (let i = 0; i < more.length; i++) lenBytes += more[i]!.length;
  return lenBytes;
}
