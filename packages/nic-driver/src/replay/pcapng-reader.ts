import { viewOf } from '@softnet/wire';
import { BLOCK, BYTE_ORDER_MAGIC, OPTION } from '../pcap/pcapng-blocks.ts';
import { MAX_PACKET_BYTES } from './pcap-reader.ts';
import type { CaptureReader, RecordedInterface, RecordedPacket } from './recorded-packet.ts';
import { isKnownResolution, ticksToUs } from './time-resolution.ts';

/** Type and length before a block, the length again behind it. */
const BLOCK_BYTES = 12;
const SECTION_BYTES = 28;
const INTERFACE_BYTES = 20;
const PACKET_BYTES = 32;
const SIMPLE_BYTES = 16;
const OUTBOUND = 2;
/** How comments of softnet's own captures begin: `dropped: `. */
const DROPPED = Object.freeze([...'dropped: '].map((letter) => letter.charCodeAt(0)));

interface DescribedInterface extends RecordedInterface {
  readonly resolution: number;
  /** Of simple packet blocks, which do not say how much they keep. 0: all. */
  readonly snapLenBytes: number;
}

/** pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces, packets; other blocks are passed over. */
export class PcapngReader implements CaptureReader {
  broken: string | null = null;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #interfaces: DescribedInterface[] = [];
  /** Number of the section's first interface. */
  #firstInterface = 0;
  #littleEndian = true;
  #at = 0;
  #timeUs = 0;

  /** @param bytes the whole file; it begins with a section. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get interfaces(): readonly RecordedInterface[] {
    return this.#interfaces;
  }

  rewind(): void {
    this.broken = null;
    this.#interfaces = [];
    this.#firstInterface = 0;
    this.#at = 0;
    this.#timeUs = 0;
  }

  next(packet: RecordedPacket): boolean {
    while (this.broken === null && this.#at < this.#view.byteLength) {
      const at = this.#at;
      const lenBytes = this.#blockBytes(at);
      if (lenBytes === 0) return false;
      const found = this.#block(this.#u32(at), at, at + lenBytes - 4, packet);
      if (this.broken !== null) return false;
      this.#at = at + lenBytes;
      if (found) return true;
    }
    return false;
  }

  /** Length of the block at `at`, all of which is there; 0: it is broken. A section tells its byte order. */
  #blockBytes(at: number): number {
    const left = this.#view.byteLength - at;
    if (left < BLOCK_BYTES) return this.#isBroken('ends within the header of a block');
    if (this.#u32(at) === BLOCK.SECTION && !this.#readByteOrder(at)) return this.#isBroken('has a section of no byte order');
    const lenBytes = this.#u32(at + 4);
    if (lenBytes < BLOCK_BYTES || (lenBytes & 3) !== 0) return this.#isBroken(`has a block of ${lenBytes} bytes`);
    if (lenBytes > left) return this.#isBroken('ends within a block');
    return this.#u32(at + lenBytes - 4) === lenBytes ? lenBytes : this.#isBroken('has a block with two lengths');
  }

  #readByteOrder(at: number): boolean {
    this.#littleEndian = this.#view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
    return this.#littleEndian || this.#view.getUint32(at + 8) === BYTE_ORDER_MAGIC;
  }

  /** True: it is a packet, which is filled in. @param end where the length behind it stands. */
  #block(type: number, at: number, end: number, packet: RecordedPacket): boolean {
    switch (type) {
      case BLOCK.SECTION:
        if (end - at + 4 < SECTION_BYTES || this.#u16(at + 12) !== 1) this.#isBroken('has a section of another version than 1');
        this.#firstInterface = this.#interfaces.length;
        return false;
      case BLOCK.INTERFACE:
        this.#describe(at, end);
        return false;
      case BLOCK.PACKET:
        return this.#packet(at, end, packet);
      case BLOCK.SIMPLE_PACKET:
        return this.#simplePacket(at, end, packet);
      default:
        return false;
    }
  }

  #describe(at: number, end: number): void {
    if (end - at + 4 < INTERFACE_BYTES) {
      this.#isBroken('has an interface that is cut off');
      return;
    }
    const name = this.#option(OPTION.IF_NAME, at + 16, end);
    const unit = this.#option(OPTION.IF_TSRESOL, at + 16, end);
    const resolution = unit < 0 || this.#u16(unit - 2) < 1 ? 6 : this.#bytes[unit]!;
    if (!isKnownResolution(resolution)) this.#isBroken(`has times in units that are not understood (if_tsresol ${resolution})`);
    this.#interfaces.push({
      name: name < 0 ? '' : new TextDecoder().decode(this.#bytes.subarray(name, name + this.#u16(name - 2))),
      linkType: this.#u16(at + 8),
      snapLenBytes: this.#u32(at + 12),
      resolution,
    });
  }

  #packet(at: number, end: number, packet: RecordedPacket): boolean {
    if (end - at + 4 < PACKET_BYTES) return this.#isNone('has a packet that is cut off');
    const from = this.#interfaces[this.#firstInterface + this.#u32(at + 8)];
    if (from === undefined) return this.#isNone(`has a packet of interface ${this.#u32(at + 8)}, which it did not describe`);
    const capturedBytes = this.#u32(at + 20);
    if (capturedBytes > end - at - 28) return this.#isNone('has a packet that is longer than its block');
    if (capturedBytes > MAX_PACKET_BYTES) return this.#isNone(`has a packet of ${capturedBytes} bytes`);
    this.#timeUs = ticksToUs(this.#u32(at + 12), this.#u32(at + 16), from.resolution);
    const options = at + 28 + ((capturedBytes + 3) & ~3);
    const flags = this.#option(OPTION.PACKET_FLAGS, options, end);
    const comment = this.#option(OPTION.COMMENT, options, end);
    packet.outbound = flags >= 0 && this.#u16(flags - 2) === 4 && (this.#u32(flags) & 3) === OUTBOUND;
    packet.dropped = comment >= 0 && this.#saysDropped(comment);
    this.#fill(packet, this.#firstInterface + this.#u32(at + 8), at + 28, capturedBytes, this.#u32(at + 24));
    return true;
  }

  #simplePacket(at: number, end: number, packet: RecordedPacket): boolean {
    const from = this.#interfaces[this.#firstInterface];
    if (end - at + 4 < SIMPLE_BYTES || from === undefined) return this.#isNone('has a simple packet of no interface');
    const lenBytes = this.#u32(at + 8);
    const capturedBytes = from.snapLenBytes === 0 ? lenBytes : Math.min(lenBytes, from.snapLenBytes);
    if (capturedBytes > end - at - 12 || capturedBytes > MAX_PACKET_BYTES)
      return this.#isNone('has a packet that is longer than its block');
    packet.outbound = false;
    packet.dropped = false;
    this.#fill(packet, this.#firstInterface, at + 12, capturedBytes, lenBytes);
    return true;
  }

  #fill(packet: RecordedPacket, interfaceId: number, offset: number, capturedBytes: number, lenBytes: number): void {
    packet.interfaceId = interfaceId;
    packet.offset = offset;
    packet.capturedBytes = capturedBytes;
    packet.lenBytes = lenBytes;
    packet.timeUs = this.#timeUs;
  }

  #saysDropped(comment: number): boolean {
    if (this.#u16(comment - 2) < DROPPED.length) return false;
    for (let i = 0; i < DROPPED.length; i++) if (this.#bytes[comment + i] !== DROPPED[i]) return false;
    return true;
  }

  /** Where the value of the first such option stands, its length before it; -1: there is none, or it reaches over the end. */
  #option(code: number, from: number, end: number): number {
    for (let at = from; at + 4 <= end; ) {
      const found = this.#u16(at);
      const lenBytes = this.#u16(at + 2);
      if (found === OPTION.END || at + 4 + lenBytes > end) return -1;
      if (found === code) return at + 4;
      at += 4 + ((lenBytes + 3) & ~3);
    }
    return -1;
  }

  /** No packet, for what is wrong. */
  #isNone(what: string): false {
    this.#isBroken(what);
    return false;
  }

  /** No length, for what is wrong. */
  #isBroken(what: string): 0 {
    this.broken = `it ${what}, at byte ${this.#at}`;
    return 0;
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, this.#littleEndian);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }
}
