import { viewOf } from '@softnet/wire';
import type { CaptureReader, RecordedInterface, RecordedPacket } from './recorded-packet.ts';

export const PCAP_MAGIC = Object.freeze({ MICROSECONDS: 0xa1b2c3d4, NANOSECONDS: 0xa1b23c4d } as const);
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
/** Longest packet: what tcpdump takes at most. */
export const MAX_PACKET_BYTES = 262_144;

/** The classic format (draft-ietf-opsawg-pcap), of either byte order, in µs or ns. */
export class PcapReader implements CaptureReader {
  readonly interfaces: readonly RecordedInterface[];
  broken: string | null = null;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #nanoseconds: boolean;
  #at = HEADER_BYTES;

  /** @param bytes the whole file; its magic was seen, and says how to read it. */
  constructor(bytes: Uint8Array, littleEndian: boolean, nanoseconds: boolean) {
    this.#view = viewOf(bytes);
    this.#littleEndian = littleEndian;
    this.#nanoseconds = nanoseconds;
    // The upper bits say whether frames end with their FCS, which nobody writes.
    const linkType = bytes.length < HEADER_BYTES ? 0 : this.#u32(20) & 0xffff;
    this.interfaces = [{ name: '', linkType }];
    if (bytes.length < HEADER_BYTES) this.broken = `it ends within its header, after ${bytes.length} bytes`;
  }

  rewind(): void {
    this.#at = HEADER_BYTES;
    if (this.#view.byteLength >= HEADER_BYTES) this.broken = null;
  }

  next(packet: RecordedPacket): boolean {
    const at = this.#at;
    const left = this.#view.byteLength - at;
    if (left <= 0 || this.broken !== null) return false;
    if (left < RECORD_BYTES) return this.#isBroken('ends within the header of a packet');
    const capturedBytes = this.#u32(at + 8);
    if (capturedBytes > MAX_PACKET_BYTES) return this.#isBroken(`has a packet of ${capturedBytes} bytes`);
    if (capturedBytes > left - RECORD_BYTES) return this.#isBroken('ends within a packet');
    const fraction = this.#u32(at + 4);
    packet.offset = at + RECORD_BYTES;
    packet.capturedBytes = capturedBytes;
    packet.lenBytes = this.#u32(at + 12);
    packet.timeUs = this.#u32(at) * 1e6 + (this.#nanoseconds ? Math.floor(fraction / 1000) : fraction);
    packet.interfaceId = 0;
    packet.outbound = false;
    packet.dropped = false;
    this.#at = packet.offset + capturedBytes;
    return true;
  }

  #isBroken(what: string): false {
    this.broken = `it ${what}, at byte ${this.#at}`;
    return false;
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }
}
