import { PcapngBlocks } from './pcapng-blocks.ts';

const FIRST_BYTES = 65536;
/** What is collected between two flushes at most. */
export const MAX_COLLECTED_BYTES: number = 64 * FIRST_BYTES;

/**
 * Collects a file in one buffer, which is kept and bounded; the sink is called by {@link PcapngWriter.flush} only, so never amid a
 * packet's way.
 */
export class PcapngWriter extends PcapngBlocks {
  readonly #sink: (bytes: Uint8Array) => void;

  /** @param sink has the bytes from then on. */
  constructor(sink: (bytes: Uint8Array) => void, application: string) {
    super(FIRST_BYTES);
    this.#sink = sink;
    this.putSection(application);
  }

  describeInterface(linkType: number, name: string, snapLenBytes: number): boolean {
    return this.putInterface(linkType, name, snapLenBytes);
  }

  /** Gives the sink what is collected. @throws what the sink throws; it is collected no more then. */
  flush(): void {
    if (this.at === 0) return;
    const bytes = this.bytes.slice(0, this.at);
    this.at = 0;
    this.#sink(bytes);
  }

  /** A copy of what is collected, which stays. */
  collected(): Uint8Array {
    return this.bytes.slice(0, this.at);
  }

  protected makeRoom(maxBytes: number): boolean {
    const needBytes = this.at + maxBytes;
    if (needBytes > MAX_COLLECTED_BYTES) return false;
    let lenBytes = this.bytes.length;
    while (lenBytes < needBytes) lenBytes *= 2;
    if (lenBytes > this.bytes.length) this.grow(lenBytes);
    return true;
  }
}
