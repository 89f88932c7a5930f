/** Link types of captures (tcpdump.org/linktypes). */
export const LINKTYPE = Object.freeze({ ETHERNET: 1, RAW: 101 } as const);

/** Which way a packet went: the lowest two bits of `epb_flags`. */
export const DIRECTION = Object.freeze({ UNKNOWN: 0, INBOUND: 1, OUTBOUND: 2 } as const);
/** To whom an inbound one was: bits 2 to 4. */
export const RECEPTION = Object.freeze({ UNKNOWN: 0, UNICAST: 1 << 2, MULTICAST: 2 << 2, BROADCAST: 3 << 2, PROMISCUOUS: 4 << 2 } as const);

export const BLOCK = Object.freeze({ SECTION: 0x0a0d0d0a, INTERFACE: 1, SIMPLE_PACKET: 3, PACKET: 6 } as const);
export const OPTION = Object.freeze({ END: 0, COMMENT: 1, IF_NAME: 2, PACKET_FLAGS: 2, USER_APPLICATION: 4, IF_TSRESOL: 9 } as const);
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Of a packet block, without data: what stands before it, flags, the end of options, and the length behind. */
const PACKET_BYTES = 28 + 8 + 4 + 4;

/**
 * Blocks of pcapng (draft-ietf-opsawg-pcapng), one section, little-endian, times in µs: what Wireshark opens. Where they are put is
 * the business of who extends it.
 */
export abstract class PcapngBlocks {
  protected bytes: Uint8Array;
  #view: DataView;
  /** Where the next byte goes, and where the block at hand begins. */
  protected at = 0;
  #block = 0;

  constructor(lenBytes: number) {
    this.bytes = new Uint8Array(lenBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Sees to it that `maxBytes` may be written from `at` on. False: there is no room. */
  protected abstract makeRoom(maxBytes: number): boolean;

  /** Describes the next interface, the first of which is 0. False: no room is left. */
  abstract describeInterface(linkType: number, name: string, snapLenBytes: number): boolean;

  /** Where a packet's bytes are to be written, between {@link PcapngBlocks.beginPacket} and `endPacket`. */
  get view(): DataView {
    return this.#view;
  }

  /**
   * Begins a packet of `lenBytes`, of which the first `capturedBytes` are kept: the caller writes them at the offset that it gets,
   * or -1: no room is left.
   * @param timeUs µs since 1970, up to 2⁵³.
   * @param commentBytes how long a comment comes with `endPacket`.
   */
  beginPacket(interfaceId: number, timeUs: number, capturedBytes: number, lenBytes: number, commentBytes: number): number {
    if (!this.#begin(BLOCK.PACKET, PACKET_BYTES + capturedBytes + 3 + 4 + commentBytes + 3)) return -1;
    this.#u32(interfaceId);
    this.#u32(Math.floor(timeUs / 0x100000000));
    this.#u32(timeUs % 0x100000000);
    this.#u32(capturedBytes);
    this.#u32(lenBytes);
    const at = this.at;
    this.at += capturedBytes;
    this.#pad();
    return at;
  }

  /** @param flags direction and reception. */
  endPacket(flags: number, comment: Uint8Array | null): void {
    if (comment !== null) this.#option(OPTION.COMMENT, comment);
    this.#u16(OPTION.PACKET_FLAGS);
    this.#u16(4);
    this.#u32(flags);
    this.#end();
  }

  protected putSection(application: string): boolean {
    if (!this.#begin(BLOCK.SECTION, 64 + 3 * application.length)) return false;
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u16(1);
    this.#u16(0);
    // The section's length: not known, as it goes on.
    this.#u32(0xffffffff);
    this.#u32(0xffffffff);
    this.#option(OPTION.USER_APPLICATION, new TextEncoder().encode(application));
    this.#end();
    return true;
  }

  protected putInterface(linkType: number, name: string, snapLenBytes: number): boolean {
    if (!this.#begin(BLOCK.INTERFACE, 64 + 3 * name.length)) return false;
    this.#u16(linkType);
    this.#u16(0);
    this.#u32(snapLenBytes);
    this.#option(OPTION.IF_NAME, new TextEncoder().encode(name));
    // 10⁻⁶ s.
    this.#option(OPTION.IF_TSRESOL, Uint8Array.of(6));
    this.#end();
    return true;
  }

  /** A block of at most `maxBytes`. False: no room. */
  #begin(type: number, maxBytes: number): boolean {
    if (!this.makeRoom(maxBytes)) return false;
    this.#block = this.at;
    this.#u32(type);
    this.#u32(0);
    return true;
  }

  protected grow(lenBytes: number): void {
    const bytes = new Uint8Array(lenBytes);
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** The end of options, and the block's length, before and behind. */
  #end(): void {
    this.#u32(OPTION.END);
    const lenBytes = this.at + 4 - this.#block;
    this.#u32(lenBytes);
    this.#view.setUint32(this.#block + 4, lenBytes, true);
  }

  #option(code: number, value: Uint8Array): void {
    this.#u16(code);
    this.#u16(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
    this.#pad();
  }

  /** To 32 bits. What was there before must not be seen. */
  #pad(): void {
    while ((this.at & 3) !== 0) this.bytes[this.at++] = 0;
  }

  #u16(value: number): void {
    this.#view.setUint16(this.at, value, true);
    this.at += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }
}
