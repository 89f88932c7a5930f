import type { DropReason, NetDevice, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FLAG, SKB_TYPE } from '@softnet/contract';
import { copyWords, SkbReader } from '@softnet/skb';
import { checksumOf, ETHERNET_HEADER_BYTES, ETHERNET_TYPE, setEthernetType, setVlanTag, sumBytes, VLAN_TAG_BYTES } from '@softnet/wire';
import type { CaptureOptions } from './captures.ts';
import { Capture } from './captures.ts';
import { DIRECTION, LINKTYPE, PcapngWriter, RECEPTION } from './pcapng-writer.ts';

export const MAX_SNAP_LEN_BYTES = 262_144;
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
  readonly #writer: PcapngWriter;
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

  constructor(host: CaptureHost, { device, write, snapLenBytes, epochUs, drops }: CaptureOptions) {
    super();
    this.#host = host;
    this.ifindex = device?.ifindex ?? 0;
    this.wantsDrops = drops ?? true;
    this.#snapLenBytes = snapLenBytes ?? MAX_SNAP_LEN_BYTES;
    this.#epochUs = epochUs ?? 0;
    this.#writer = new PcapngWriter((bytes) => write(bytes), 'softnet');
  }

  /** A frame that `device` sends or has received; `mac` is set. */
  tap(skb: Skb, device: NetDevice): void {
    if (this.ifindex !== 0 && this.ifindex !== device.ifindex) return;
    const outgoing = skb.type === SKB_TYPE.OUTGOING;
    // Each packet once, as tcpdump does it.
    if (outgoing && (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    const from = startOf(skb, skb.mac);
    this.#device = device;
    this.#flags = outgoing ? DIRECTION.OUTBOUND : DIRECTION.INBOUND | receptionOf(skb.type);
    this.#frame(skb, from < 0 ? skb.data : from, null);
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
    const mac = startOf(skb, skb.mac);
    const network = startOf(skb, skb.network);
    if (mac >= 0) this.#frame(skb, mac, comment);
    else if (network >= 0 && isIp(skb, network)) this.#packet(skb, network, LINKTYPE.RAW, 0, comment);
    else this.#bare(skb, network < 0 ? skb.data : network, comment);
    this.drops += this.frames - before;
  }

  /** Gives `write` what is collected; when it throws, that is the end. */
  flush(): void {
    try {
      this.#writer.flush();
    } catch (error) {
      this.error = error;
      this.end();
    }
  }

  close(): void {
    if (this.closed) return;
    this.flush();
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
    const at = id < 0 ? -1 : this.#writer.beginPacket(id, timeUs, kept, lenBytes, comment?.length ?? 0);
    if (at < 0) {
      this.missed++;
      return;
    }
    const { view } = this.#writer;
    const header = Math.min(kept, headerBytes);
    copyWords(view, at, this.#header, 0, header);
    const before = Math.min(kept - header, Math.max(0, skb.data - from));
    copyWords(view, at + header, skb.memory.view, from, before);
    const rest = kept - header - before;
    if (this.#reader.open(skb, Math.max(0, from - skb.data), rest)) this.#reader.copyTo(view, at + header + before, rest);
    if (skb.checksum === CHECKSUM.PARTIAL && skb.gsoSize === 0 && kept === lenBytes && skb.head + (skb.csum >>> 16) >= from) {
      finishChecksum(view, at + headerBytes - from + skb.head, at + kept, skb.csum);
    }
    this.#writer.endPacket(this.#flags, comment);
    this.frames++;
    this.#host.collected();
  }

  /** The number of the interface block of `#device` for this link type, written at its first packet; -1: no room. */
  #interfaceOf(linkType: number): number {
    const key = 2 * (this.#device?.ifindex ?? 0) + (linkType === LINKTYPE.RAW ? 1 : 0);
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    if (!this.#writer.describeInterface(linkType, this.#device?.name ?? NO_DEVICE, this.#snapLenBytes)) return -1;
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

function isIp({ memory, tail }: Skb, offset: number): boolean {
  const version = offset < tail ? memory.view.getUint8(offset) >> 4 : 0;
  return version === 4 || version === 6;
}

function receptionOf(type: number): number {
  if (type === SKB_TYPE.HOST) return RECEPTION.UNICAST;
  if (type === SKB_TYPE.MULTICAST) return RECEPTION.MULTICAST;
  if (type === SKB_TYPE.BROADCAST) return RECEPTION.BROADCAST;
  return type === SKB_TYPE.OTHERHOST ? RECEPTION.PROMISCUOUS : RECEPTION.UNKNOWN;
}
