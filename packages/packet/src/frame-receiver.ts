import type { Message, Skb, SockCommon } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  CHECKSUM,
  clearControl,
  ERRNO,
  MESSAGE_FLAG,
  PACKET_OPTION,
  putControl,
  SKB_TYPE,
  SOCK_FLAG,
  SOL,
} from '@softnet/contract';
import { putInt } from '@softnet/inet';
import { orphan, SkbReader } from '@softnet/skb';
import { packetType } from './link-address.ts';
import type { PacketHost } from './packet-host.ts';
import type { PacketState } from './packet-state.ts';
import { stateOf } from './packet-state.ts';

const { PEEK, DONTWAIT, TRUNC, ERRQUEUE } = MESSAGE_FLAG;
/** What Linux lets be said, and ours. */
const KNOWN = PEEK | DONTWAIT | TRUNC | ERRQUEUE | MESSAGE_FLAG.SKB;

/** Linux's `TP_STATUS_*` and `struct tpacket_auxdata`. */
const STATUS = Object.freeze({ USER: 1, SUM_NOT_READY: 8, VLAN: 16, VLAN_TPID: 64, SUM_VALID: 128 } as const);
const AUXDATA_BYTES = 20;

/** From a socket's queue to its user. */
export class FrameReceiver {
  readonly #host: PacketHost;
  readonly #reader = new SkbReader();
  /** The place that a user took a packet into last, and a view of it: most take all into one, and that costs no garbage. */
  #place: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#place.buffer);

  constructor(host: PacketHost) {
    this.#host = host;
  }

  /** Bytes given, or with MESSAGE_FLAG.TRUNC all that it had; -errno. `message.flags` say what became of it. */
  receive(sock: SockCommon, message: Message): number {
    const { flags } = message;
    const state = stateOf(sock);
    clearControl(message);
    message.hasAddress = false;
    if (state.closed) return -ERRNO.EBADF;
    if ((flags & ~KNOWN) !== 0) return -ERRNO.EINVAL;
    // Nothing is reported of frames: no queue of errors.
    if ((flags & ERRQUEUE) !== 0) return -ERRNO.EAGAIN;
    if (sock.error !== 0) {
      const { error } = sock;
      sock.error = 0;
      return -error;
    }
    const skb = state.first;
    if (skb === null) return -ERRNO.EAGAIN;
    if ((flags & MESSAGE_FLAG.SKB) !== 0) return this.#handOver(sock, state, message, skb);
    this.#tell(sock, state, message, skb);
    const copiedBytes = this.#copyOut(message, skb);
    const lenBytes = skb.len;
    message.flags = copiedBytes < lenBytes ? TRUNC : 0;
    if ((flags & PEEK) === 0) {
      state.take();
      skb.memory.pool.release(skb);
    }
    return (flags & TRUNC) === 0 ? copiedBytes : lenBytes;
  }

  /** The packet itself; to who only peeks, a clone. It is charged to nobody any more. */
  #handOver(sock: SockCommon, state: PacketState, message: Message, skb: Skb): number {
    let given: Skb | null = skb;
    if ((message.flags & PEEK) === 0) {
      state.take();
      orphan(skb);
    } else given = skb.memory.pool.clone(skb);
    if (given === null) return -ERRNO.ENOBUFS;
    this.#tell(sock, state, message, skb);
    message.flags = MESSAGE_FLAG.SKB;
    message.skb = given;
    return given.len;
  }

  #tell(sock: SockCommon, state: PacketState, message: Message, skb: Skb): void {
    const { address } = message;
    address.family = ADDRESS_FAMILY.PACKET;
    address.address0 = skb.cb0;
    address.address1 = skb.cb1;
    address.address2 = skb.cb2;
    address.address3 = 0;
    address.port = skb.protocol;
    address.ifindex = skb.ifindex;
    message.hasAddress = true;
    if (state.tellsMore) tellMore(message, skb);
    if ((sock.flags & SOCK_FLAG.ANCILLARY) === 0) return;
    const { levels, current } = this.#host;
    const { items, owners } = levels;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      if (items[i]!.level !== SOL.SOCKET) continue;
      current.id = owners[i]!;
      items[i]!.received?.(sock, skb, message);
    }
    current.id = caller;
  }

  /** The copy out, into one place or many. Returns how many bytes found room. */
  #copyOut({ data, more }: Message, skb: Skb): number {
    const reader = this.#reader;
    if (!reader.open(skb)) return 0;
    if (data !== null) this.#copyInto(data);
    if (more !== null) for (let i = 0; i < more.length; i++) this.#copyInto(more[i]!);
    return skb.len - reader.remaining;
  }

  #copyInto(place: Uint8Array): void {
    if (place !== this.#place) {
      this.#place = place;
      this.#view = new DataView(place.buffer, place.byteOffset, place.length);
    }
    this.#reader.copyTo(this.#view, 0, Math.min(place.length, this.#reader.remaining));
  }
}

/** What is known of its checksum. Of what is sent that it is right says nobody. */
function sumStatus({ checksum, cb0 }: Skb): number {
  if (checksum === CHECKSUM.PARTIAL) return STATUS.SUM_NOT_READY;
  return checksum === CHECKSUM.UNNECESSARY && packetType(cb0) !== SKB_TYPE.OUTGOING ? STATUS.SUM_VALID : 0;
}

/** PACKET_AUXDATA: how long it was, where its network header is, what is known of its checksum, and the tag that was taken off. */
function tellMore(message: Message, skb: Skb): void {
  const { vlan, network, data } = skb;
  const bytes = putControl(message, SOL.PACKET, PACKET_OPTION.AUXDATA, AUXDATA_BYTES);
  putInt(bytes, 0, STATUS.USER | sumStatus(skb) | (vlan === 0 ? 0 : STATUS.VLAN | STATUS.VLAN_TPID));
  putInt(bytes, 4, skb.cb3);
  putInt(bytes, 8, skb.len);
  putInt(bytes, 12, (network < 0 ? 0 : network - data) << 16);
  putInt(bytes, 16, vlan);
}
