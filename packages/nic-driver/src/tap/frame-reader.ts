import type { DropReason, Fragment, NetDevice, Skb } from '@softnet/contract';
import { DEVICE_FEATURE } from '@softnet/contract';
import { appendFragment, FRAME_HEAD_BYTES, PAGE_BYTES, put, RECEIVE_HEADROOM_BYTES } from '@softnet/skb';
import { ETHERNET_HEADER_BYTES, IPV6_HEADER_BYTES, VLAN_TAG_BYTES } from '@softnet/wire';
import { readOffloads } from './offloads.ts';
import { ScatterList } from './scatter-list.ts';
import type { TapHost } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';
import { readVnetHeader, VnetHeader } from './vnet-header.ts';

/** Linux's numbers. */
const EINTR = 4;
const EAGAIN = 11;
/** How often a call that a signal has interrupted is tried again. */
const TRIES = 3;
/** The longest burst: Ethernet's header and a tag, IPv6's, and all that it can say to carry. */
export const LONGEST_BYTES: number = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + IPV6_HEADER_BYTES + 65_535;
const MAX_PAGES = Math.ceil((LONGEST_BYTES + 1 - FRAME_HEAD_BYTES) / PAGE_BYTES);

/**
 * Reads the frames of one queue into packet memory. Head and pages for the longest frame are laid out once: what a frame did not
 * take serves the next one, so that a short one does not pay for 64 KiB. Between two turns it holds nothing.
 */
export class FrameReader {
  readonly #host: TapHost;
  readonly #device: NetDevice;
  readonly #tun: TunFile;
  readonly #index: number;
  readonly #scatter: ScatterList;
  readonly #header = new VnetHeader();
  /** Laid out. */
  #head: Skb | null = null;
  readonly #pages: (Fragment | null)[] = new Array<Fragment | null>(MAX_PAGES).fill(null);

  constructor(host: TapHost, device: NetDevice, tun: TunFile, index: number) {
    this.#host = host;
    this.#device = device;
    this.#tun = tun;
    this.#index = index;
    this.#scatter = new ScatterList((bytes) => tun.libc.addressOf(bytes));
  }

  /** Reads a frame and hands it on, or drops it with a reason. 0; or Linux's number of why there is none, EAGAIN most of the time. */
  read(): number {
    const device = this.#device;
    const { headerBytes } = device.link;
    const maxBytes = device.mtuBytes + headerBytes + (headerBytes === 0 ? 0 : VLAN_TAG_BYTES);
    const longestBytes = (device.features & DEVICE_FEATURE.RX_GSO) === 0 ? maxBytes : Math.max(maxBytes, LONGEST_BYTES);
    // One more, so that a frame that is too long shows: what does not fit is lost without a word.
    const roomBytes = this.#layOut(longestBytes + 1);
    if (roomBytes === 0) return this.#miss();
    const readBytes = this.#readFrame();
    if (readBytes < 0) return -readBytes;
    const skb = this.#take(Math.max(0, readBytes - this.#tun.headerBytes));
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
    this.#scatter.fillScratch();
    return Math.max(0, -this.#readFrame());
  }

  /** The end of a turn: gives back what is laid out. */
  end(): void {
    const head = this.#head;
    if (head !== null) head.memory.pool.release(head);
    this.#head = null;
    for (let i = 0; i < MAX_PAGES; i++) {
      const page = this.#pages[i]!;
      if (page !== null) page.source.release(page);
      this.#pages[i] = null;
    }
  }

  /** Bytes that a frame may have in what is laid out: as many as are wanted, or fewer where pages are short. 0: memory is out. */
  #layOut(wantedBytes: number): number {
    const scatter = this.#scatter;
    const pool = this.#host.pool.current;
    if (this.#head === null) {
      const head = pool.alloc(RECEIVE_HEADROOM_BYTES, FRAME_HEAD_BYTES);
      if (head === null) return 0;
      const { headerBytes } = this.#tun;
      scatter.set(0, head.memory, head.data - headerBytes, headerBytes + FRAME_HEAD_BYTES);
      this.#head = head;
    }
    let roomBytes = FRAME_HEAD_BYTES;
    let count = 0;
    for (; roomBytes < wantedBytes; roomBytes += PAGE_BYTES) {
      let page = this.#pages[count]!;
      if (page === null) {
        page = pool.page(PAGE_BYTES)!;
        if (page === null) break;
        scatter.set(count + 1, page.memory, page.offset, PAGE_BYTES);
        this.#pages[count] = page;
      }
      count++;
    }
    scatter.count = count + 1;
    return Math.min(roomBytes, wantedBytes);
  }

  /** A packet of what is laid out, and of so many bytes. */
  #take(lenBytes: number): Skb {
    const skb = this.#head!;
    this.#head = null;
    put(skb, Math.min(lenBytes, FRAME_HEAD_BYTES));
    skb.mac = skb.data;
    for (let at = 0, left = lenBytes - FRAME_HEAD_BYTES; left > 0; at++, left -= PAGE_BYTES) {
      const page = this.#pages[at]!;
      this.#pages[at] = null;
      if (left < PAGE_BYTES) page.lenBytes = left;
      appendFragment(skb, page);
    }
    return skb;
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

  /** Bytes, header included; or the number of the error, negative. */
  #readFrame(): number {
    const { libc, fds } = this.#tun;
    const { iovecs, count } = this.#scatter;
    const fd = fds[this.#index]!;
    for (let tries = 0; tries < TRIES; tries++) {
      const readBytes = libc.readv(fd, iovecs, count);
      if (readBytes >= 0) return readBytes;
      const errno = libc.errno();
      if (errno !== EINTR) return -errno;
    }
    return -EAGAIN;
  }
}
