import type { DropReason, NetDevice, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FLAG, ETHERTYPE, NetError, SKB_TYPE } from '@softnet/contract';
import { copyWords, SkbReader } from '@softnet/skb';
import { checksumOf, ETHERNET_HEADER_BYTES, ETHERNET_TYPE, setEthernetType, setVlanTag, sumBytes, VLAN_TAG_BYTES } from '@softnet/wire';
import type { CaptureOptions } from './captures.ts';
import { Capture } from './captures.ts';
import { SkbFilter } from './filter/skb-filter.ts';
import type { PcapngBlocks } from './pcapng-blocks.ts';
import { DIRECTION, LINKTYPE, RECEPTION } from './pcapng-blocks.ts';
import { PcapngRing } from './pcapng-ring.ts';
import { PcapngWriter } from './pcapng-writer.ts';

export const MAX_SNAP_LEN_BYTES = 262_144;
const DEFAULT_RING_BYTES = 4 << 20;
/** Says who wrote it. */
const APPLICATION = 'softnet';
/** Local experimental (IEEE 802): for bytes that have no header yet. */
const NO_ETHERTYPE = 0x88b5;
/** Of packets of no device. */
const NO_DEVICE = 'dropped';

/** What a capture asks of its module. */
export interface CaptureHost {
  /** Exact kernel time, µs. */
  readUs(): number;
  /** Something is collected: flush soon. */
  collected(): void;
  /** It ended: release it. */
  ended(capture: RunningCapture): void;
  deviceOf(ifindex: number): NetDevice | null;
}

/** One capture: packets as blocks of its file. */
export class RunningCapture extends Capture {
  readonly ifindex: number;
  readonly wantsDrops: boolean;
  readonly #host: CaptureHost;
  readonly #file: PcapngBlocks;
  /** One of them is `#file`. */
  readonly #writer: PcapngWriter | null;
  readonly #ring: PcapngRing | null;
  readonly #filter: SkbFilter | null;
  #paused = false;
  readonly #snapLenBytes: number;
  readonly #epochUs: number;
  readonly #reader = new SkbReader();
  /** Bytes that are written before the packet's own: a link header, up to the VLAN tag. */
  readonly #header = new DataView(new ArrayBuffer(ETHERNET_TYPE + VLAN_TAG_BYTES));
  /** Of the packet at hand. */
  #device: NetDevice | null = null;
  #flags = 0;
  /** Interface blocks written, by ifindex · 2 and, for RAW, 1. */
  readonly #interfaces = new Map<number, number>();
  readonly #comments = new Map<DropReason, Uint8Array>();

  /** @param options checked, but for the filter. @throws NetError EINVAL. */
  constructor(host: CaptureHost, { device, write, ring, filter, snapLenBytes, epochUs, drops }: CaptureOptions) {
    super();
    this.#host = host;
    this.ifindex = device?.ifindex ?? 0;
    this.wantsDrops = drops ?? true;
    this.#snapLenBytes = snapLenBytes ?? MAX_SNAP_LEN_BYTES;
    this.#epochUs = epochUs ?? 0;
    this.#filter = filter === undefined ? null : new SkbFilter(filter);
    this.#writer = write === undefined ? null : new PcapngWriter((bytes) => write(bytes), APPLICATION);
    const { maxBytes = DEFAULT_RING_BYTES, maxPackets = Number.MAX_SAFE_INTEGER } = ring ?? {};
    this.#ring = ring === undefined ? null : new PcapngRing(maxBytes, maxPackets, APPLICATION);
    this.#file = (this.#writer ?? this.#ring)!;
  }

  get kept(): number {
    return this.#ring?.packets ?? 0;
  }

  dump(): Uint8Array {
    if (this.#ring === null) throw new NetError('EINVAL', 'capture: it has no ring: start it with ring: { maxBytes } instead of write');
    return this.#ring.dump();
  }

  /** A frame that `device` sends or has received; `mac` is set. */
  tap(skb: Skb, device: NetDevice): void {
    if (this.ifindex !== 0 && this.ifindex !== device.ifindex) return;
    const outgoing = skb.type === SKB_TYPE.OUTGOING;
    // Each packet once, as tcpdump does it.
    if (outgoing && (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    const mac = startOf(skb, skb.mac);
    const from = mac < 0 ? skb.data : mac;
    this.#device = device;
    this.#flags = outgoing ? DIRECTION.OUTBOUND : DIRECTION.INBOUND | receptionOf(skb.type);
    if (device.link.headerBytes === 0) this.#withoutLink(skb, from, null);
    else if (this.#filter === null || this.#filter.matchesFrame(skb, from, false)) this.#frame(skb, from, null);
  }

  /** A packet that is dropped, in whatever state. */
  dropped(skb: Skb, reason: DropReason): void {
    const device = skb.dst?.device ?? (skb.ifindex === 0 ? null : this.#host.deviceOf(skb.ifindex));
    if (this.ifindex !== 0 && this.ifindex !== device?.ifindex) return;
    const outgoing = skb.ifindex === 0 || skb.type === SKB_TYPE.OUTGOING;
    this.#device = device;
    this.#flags = outgoing ? DIRECTION.OUTBOUND : DIRECTION.INBOUND | receptionOf(skb.type);
    const comment = this.#commentOf(reason);
    const before = this.frames;
    const mac = device?.link.headerBytes === 0 ? -1 : startOf(skb, skb.mac);
    if (mac >= 0) this.#droppedFrame(skb, mac, comment);
    else this.#withoutLink(skb, startOf(skb, skb.network), comment);
    this.drops += this.frames - before;
  }

  #droppedFrame(skb: Skb, mac: number, comment: Uint8Array): void {
    if (this.#filter === null || this.#filter.matchesFrame(skb, mac, true)) this.#frame(skb, mac, comment);
  }

  /** @param network -1: it has not got so far. @param comment of one that is dropped. */
  #withoutLink(skb: Skb, network: number, comment: Uint8Array | null): void {
    const from = network < 0 ? skb.data : network;
    const version = network < 0 ? 0 : ipVersionOf(skb, network);
    const ethertype = version === 4 ? ETHERTYPE.IPV4 : version === 6 ? ETHERTYPE.IPV6 : skb.protocol;
    if (this.#filter !== null && !this.#filter.matchesPacket(skb, from, ethertype, comment !== null)) return;
    if (version !== 0) this.#packet(skb, from, LINKTYPE.RAW, 0, comment);
    else this.#bare(skb, from, comment);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.closed) this.#host.collected();
  }

  /** Gives `write` what is collected; when it throws, that is the end. */
  flush(): void {
    if (!this.#paused) this.#write();
  }

  #write(): void {
    try {
      this.#writer?.flush();
    } catch (error) {
      this.error = error;
      this.end();
    }
  }

  close(): void {
    if (this.closed) return;
    this.#write();
    this.end();
  }

  /** Ends it, whatever is collected. */
  end(): void {
    if (this.closed) return;
    this.closed = true;
    this.#host.ended(this);
  }

  /** An Ethernet frame that begins at `from` in the head. A tag that was taken off it is put back. */
  #frame(skb: Skb, from: number, comment: Uint8Array | null): void {
    if (skb.vlan === 0 || skb.tail - from < ETHERNET_HEADER_BYTES) {
      this.#packet(skb, from, LINKTYPE.ETHERNET, 0, comment);
      return;
    }
    copyWords(this.#header, 0, skb.memory.view, from, ETHERNET_TYPE);
    setVlanTag(this.#header, ETHERNET_TYPE, skb.vlan);
    this.#packet(skb, from + ETHERNET_TYPE, LINKTYPE.ETHERNET, ETHERNET_TYPE + VLAN_TAG_BYTES, comment);
  }

  /** Something that has no link header and is no IP packet: an Ethernet header of zeros says at least what it is. */
  #bare(skb: Skb, from: number, comment: Uint8Array | null): void {
    this.#header.setInt32(0, 0);
    this.#header.setInt32(4, 0);
    this.#header.setInt32(8, 0);
    setEthernetType(this.#header, 0, skb.protocol === 0 ? NO_ETHERTYPE : skb.protocol);
    this.#packet(skb, from, LINKTYPE.ETHERNET, ETHERNET_HEADER_BYTES, comment);
  }

  /** The first `headerBytes` of `#header`, then the packet from `from` in its head on. */
  #packet(skb: Skb, from: number, linkType: number, headerBytes: number, comment: Uint8Array | null): void {
    const lenBytes = headerBytes + skb.data - from + skb.len;
    const kept = Math.min(lenBytes, this.#snapLenBytes);
    const id = this.#interfaceOf(linkType);
    const timeUs = this.#epochUs + this.#host.readUs();
    const at = id < 0 ? -1 : this.#file.beginPacket(id, timeUs, kept, lenBytes, comment?.length ?? 0);
    if (at < 0) {
      this.missed++;
      return;
    }
    const { view } = this.#file;
    const header = Math.min(kept, headerBytes);
    copyWords(view, at, this.#header, 0, header);
    const before = Math.min(kept - header, Math.max(0, skb.data - from));
    copyWords(view, at + header, skb.memory.view, from, before);
    const rest = kept - header - before;
    if (this.#reader.open(skb, Math.max(0, from - skb.data), rest)) this.#reader.copyTo(view, at + header + before, rest);
    // Of a packet that stands for several, too: what is in its field is of all of it.
    if (skb.checksum === CHECKSUM.PARTIAL && kept === lenBytes && skb.head + (skb.csum >>> 16) >= from) {
      finishChecksum(view, at + headerBytes - from + skb.head, at + kept, skb.csum);
    }
    this.#file.endPacket(this.#flags, comment);
    this.frames++;
    if (this.#writer !== null) this.#host.collected();
  }

  /** The number of the interface block of `#device` for this link type, written at its first packet; -1: no room. */
  #interfaceOf(linkType: number): number {
    const key = 2 * (this.#device?.ifindex ?? 0) + (linkType === LINKTYPE.RAW ? 1 : 0);
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    if (!this.#file.describeInterface(linkType, this.#device?.name ?? NO_DEVICE, this.#snapLenBytes)) return -1;
    const id = this.#interfaces.size;
    this.#interfaces.set(key, id);
    return id;
  }

  #commentOf(reason: DropReason): Uint8Array {
    let comment = this.#comments.get(reason);
    if (comment === undefined) {
      comment = new TextEncoder().encode(`dropped: ${reason.name}: ${reason.text}`);
      this.#comments.set(reason, comment);
    }
    return comment;
  }
}

/**
 * Finishes in the file what the sender left to a device (or to nobody, as on lo), so that readers find no wrong checksums.
 * @param headAt where the packet's head would begin in the file; `csum` as in an skb.
 */
function finishChecksum(view: DataView, headAt: number, end: number, csum: number): void {
  const start = headAt + (csum >>> 16);
  const field = start + (csum & 0xffff);
  if (field + 2 > end) return;
  const checksum = checksumOf(sumBytes(view, start, end - start));
  view.setUint16(field, checksum === 0 ? 0xffff : checksum);
}

/** Where a header begins, if it still stands before the packet; -1: it does not. */
function startOf({ head, data }: Skb, header: number): number {
  return header >= head && header <= data ? header : -1;
}

/** 4 or 6; 0: it is not IP. */
function ipVersionOf({ memory, tail }: Skb, offset: number): number {
  const version = offset < tail ? memory.view.getUint8(offset) >> 4 : 0;
  return version === 4 || version === 6 ? version : 0;
}

function receptionOf(type: number): number {
  if (type === SKB_TYPE.HOST) return RECEPTION.UNICAST;
  if (type === SKB_TYPE.MULTICAST) return RECEPTION.MULTICAST;
  if (type === SKB_TYPE.BROADCAST) return RECEPTION.BROADCAST;
  return type === SKB_TYPE.OTHERHOST ? RECEPTION.PROMISCUOUS : RECEPTION.UNKNOWN;
}
