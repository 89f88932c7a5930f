import { PcapngBlocks } from './pcapng-blocks.ts';
import { PcapngWriter } from './pcapng-writer.ts';

/** Of a block: its length, behind its type. */
const BLOCK_LENGTH = 4;

/**
 * Keeps the last packets of a capture as blocks in one buffer that is allocated once: the oldest go out for the newest. A block never
 * goes over the end: what does not fit there begins at the front.
 */
export class PcapngRing extends PcapngBlocks {
  /** Section and interfaces, which stay. */
  readonly #head: PcapngWriter;
  readonly #maxPackets: number;
  /** Where the oldest block begins. */
  #first = 0;
  /** Blocks lie from `#first` to `#upperEnd` and from the front to `at`; else from `#first` to `at`. */
  #wrapped = false;
  #upperEnd = 0;
  #packets = 0;

  constructor(lenBytes: number, maxPackets: number, application: string) {
    super(lenBytes);
    this.#maxPackets = maxPackets;
    this.#head = new PcapngWriter(() => {}, application);
  }

  /** Packets that are kept. */
  get packets(): number {
    return this.#packets;
  }

  describeInterface(linkType: number, name: string, snapLenBytes: number): boolean {
    return this.#head.describeInterface(linkType, name, snapLenBytes);
  }

  override endPacket(flags: number, comment: Uint8Array | null): void {
    super.endPacket(flags, comment);
    this.#packets++;
  }

  /** All that is kept, as a file of its own; it stays. */
  dump(): Uint8Array {
    const head = this.#head.collected();
    const upper = this.bytes.subarray(this.#first, this.#wrapped ? this.#upperEnd : this.at);
    const lower = this.bytes.subarray(0, this.#wrapped ? this.at : 0);
    const file = new Uint8Array(head.length + upper.length + lower.length);
    file.set(head);
    file.set(upper, head.length);
    file.set(lower, head.length + upper.length);
    return file;
  }

  protected makeRoom(maxBytes: number): boolean {
    if (maxBytes > this.bytes.length) return false;
    while (this.#packets >= this.#maxPackets) this.#dropOldest();
    for (;;) {
      if (this.#packets === 0) this.#empty();
      const end = this.#wrapped ? this.#first : this.bytes.length;
      if (this.at + maxBytes <= end) return true;
      if (this.#wrapped) this.#dropOldest();
      else {
        this.#wrapped = true;
        this.#upperEnd = this.at;
        this.at = 0;
      }
    }
  }

  #dropOldest(): void {
    this.#packets--;
    this.#first += this.view.getUint32(this.#first + BLOCK_LENGTH, true);
    if (!this.#wrapped || this.#first < this.#upperEnd) return;
    this.#wrapped = false;
    this.#first = 0;
  }

  #empty(): void {
    this.#first = 0;
    this.at = 0;
    this.#wrapped = false;
  }
}
