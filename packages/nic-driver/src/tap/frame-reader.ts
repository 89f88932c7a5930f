import type { DropReason, NetDevice, Skb } from '@softnet/contract';
import { DEVICE_FEATURE } from '@softnet/contract';
import { ETHERNET_HEADER_BYTES, IPV6_HEADER_BYTES, VLAN_TAG_BYTES } from '@softnet/wire';
import { ReadRoom } from '../descriptor/read-room.ts';
import { readOffloads } from './offloads.ts';
import type { TapHost } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';
import { readVnetHeader, VnetHeader } from './vnet-header.ts';

/** The longest burst: Ethernet's header and a tag, IPv6's, and all that it can say to carry. */
export const LONGEST_BYTES: number = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + IPV6_HEADER_BYTES + 65_535;

/** Reads the frames of one queue into packet memory. */
export class FrameReader {
  readonly #host: TapHost;
  readonly #device: NetDevice;
  readonly #tun: TunFile;
  readonly #index: number;
  readonly #room: ReadRoom;
  readonly #header = new VnetHeader();

  constructor(host: TapHost, device: NetDevice, tun: TunFile, index: number) {
    this.#host = host;
    this.#device = device;
    this.#tun = tun;
    this.#index = index;
    this.#room = new ReadRoom(tun.libc, LONGEST_BYTES + 1);
  }

  /** Reads a frame and hands it on, or drops it with a reason. 0; or Linux's number of why there is none, EAGAIN most of the time. */
  read(): number {
    const device = this.#device;
    const { headerBytes } = device.link;
    const maxBytes = device.mtuBytes + headerBytes + (headerBytes === 0 ? 0 : VLAN_TAG_BYTES);
    const longestBytes = (device.features & DEVICE_FEATURE.RX_GSO) === 0 ? maxBytes : Math.max(maxBytes, LONGEST_BYTES);
    // One more, so that a frame that is too long shows: what does not fit is lost without a word.
    const roomBytes = this.#room.layOut(this.#host.pool.current, longestBytes + 1, this.#tun.headerBytes);
    if (roomBytes === 0) return this.#miss();
    const readBytes = this.#room.read(this.#tun.fds[this.#index]!);
    if (readBytes < 0) return -readBytes;
    const skb = this.#room.take(Math.max(0, readBytes - this.#tun.headerBytes));
    if (skb.len === roomBytes && roomBytes <= longestBytes) {
      // Too few pages were to be had, and the pool has counted that.
      device.stats.rxMissed++;
      skb.memory.pool.release(skb);
      return 0;
    }
    const reason = this.#faultOf(skb, readBytes) ?? this.#tooLong(skb, skb.gsoSize === 0 ? maxBytes : longestBytes);
    if (reason === null) this.#host.received(device.rxQueues[this.#index]!, skb);
    else {
      device.stats.rxErrors++;
      skb.memory.pool.drop(skb, reason);
    }
    return 0;
  }

  /** Reads one frame and keeps nothing of it. 0, or Linux's number. */
  discard(): number {
    return this.#room.discard(this.#tun.fds[this.#index]!);
  }

  /** The end of a turn: gives back what is laid out. */
  end(): void {
    this.#room.end();
  }

  /** Null, or what is wrong with what was read. Tells the packet what its header says. */
  #faultOf(skb: Skb, readBytes: number): DropReason | null {
    const { headerBytes } = this.#tun;
    if (readBytes <= headerBytes) return this.#host.reasons.truncated;
    if (headerBytes === 0) return null;
    readVnetHeader(skb.memory.view, skb.data - headerBytes, this.#header);
    return readOffloads(skb, this.#header, this.#device.link.headerBytes) ? null : this.#host.reasons.header;
  }

  #tooLong(skb: Skb, maxBytes: number): DropReason | null {
    return skb.len > maxBytes ? this.#host.reasons.tooLong : null;
  }

  /** Packet memory is out, and the pool has counted that: a frame goes, so that newer ones come. */
  #miss(): number {
    const errno = this.discard();
    if (errno === 0) this.#device.stats.rxMissed++;
    return errno;
  }
}
