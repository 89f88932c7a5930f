import type { CurrentOwner, HeaderSplit, NetDevice, PacketMemory, Port, Skb, SkbPool } from '@softnet/contract';
import { Counter, DEVICE_FEATURE } from '@softnet/contract';
import { copyBytes } from './copy-bytes.ts';
import { copyWords } from './copy-words.ts';
import { appendFragment, put } from './edit.ts';
import { SkbReader } from './reader.ts';
import { BUFFER_BYTES, PAGE_BYTES } from './slabs.ts';

/** Room in front of a received frame: for headers that are put before it, and 2, so that the IP header behind Ethernet's is aligned. */
export const RECEIVE_HEADROOM_BYTES: number = 64 + 2;
/** What of a received frame lies in the head, at most. */
export const FRAME_HEAD_BYTES: number = BUFFER_BYTES - RECEIVE_HEADROOM_BYTES;
/**
 * Parsers see so many bytes of a frame. One that is no longer, and one with a shorter payload, is not worth a page (4 KiB for what
 * would fit beside its headers): it stays in the head. Linux's `rx_copybreak`.
 */
export const SPLIT_BYTES = 256;

/** Where the memory comes from, asked at each frame: a port; of a pool of one's own, `{ get current() { return own.pool; } }`. */
export interface PoolSource {
  readonly current: SkbPool;
}

/** What a device's receive buffers did. */
export class ReceiveCounters {
  /** Bytes copied in; headers that were looked at in the head and went on to a page count twice. */
  readonly copiedBytes: Counter;
  /** Pages handed out. */
  readonly pages: Counter;
  /** Frames whose payload was put on pages of its own. */
  readonly splits: Counter;

  constructor(counter: (name: string) => Counter = (name) => new Counter(name)) {
    this.copiedBytes = counter('receive.copied-bytes');
    this.pages = counter('receive.pages');
    this.splits = counter('receive.splits');
  }
}

/**
 * Small buffers and pages for what a driver receives (row S4): frames are copied in, once, or read straight into what is laid out. Of
 * a device with HEADER_SPLIT the headers lie in the head, and the payload on pages, from a page's first byte on, so that it can be
 * handed up without a copy; as far as parsers know the headers (`HeaderParser`). Made once for a module or a device.
 *
 * Null: memory is out, which the pool has counted; the driver counts `stats.rxMissed`. Frames have `data` = `mac` at the link header. They go
 * back to the pool when the last who shows them frees them, and nothing is allocated once warm, but for bytes that are part of a longer
 * array: a copy of more than some bytes of it costs a view of it (garbage).
 */
export class ReceiveBuffers {
  readonly counters: ReceiveCounters;
  readonly #pool: PoolSource;
  readonly #split: Port<HeaderSplit> | null;
  readonly #current: CurrentOwner;
  readonly #array = new ArrayFrame();
  readonly #packet = new PacketFrame();

  /** @param split null: headers are never split off. */
  constructor(pool: PoolSource, split: Port<HeaderSplit> | null, current: CurrentOwner, counters: ReceiveCounters = new ReceiveCounters()) {
    this.#pool = pool;
    this.#split = split;
    this.#current = current;
    this.counters = counters;
  }

  /** A frame from bytes of the host. */
  fromBytes(device: NetDevice, bytes: Uint8Array, from = 0, lenBytes: number = bytes.length - from): Skb | null {
    this.#array.open(bytes, from);
    return this.#receive(device, this.#array, lenBytes);
  }

  /** A frame from a packet, mostly of another kernel, which stays its owner's; `data` at the link header. */
  fromSkb(device: NetDevice, skb: Skb): Skb | null {
    this.#packet.open(skb);
    const received = this.#receive(device, this.#packet, skb.len);
    this.#packet.close();
    return received;
  }

  /**
   * A frame of `lenBytes` that are yet to be written: what fits in the head, the rest on pages. For who receives into packet memory; he cuts it
   * (`trim`) when he knows how long it is. Its headers are not split off: nobody has seen them yet.
   */
  lay(lenBytes: number): Skb | null {
    const skb = this.#head(lenBytes);
    if (skb === null) return null;
    put(skb, Math.min(lenBytes, FRAME_HEAD_BYTES));
    return this.#pages(skb, null, lenBytes);
  }

  #receive(device: NetDevice, frame: Frame, lenBytes: number): Skb | null {
    const skb = this.#head(lenBytes);
    if (skb === null) return null;
    const { memory, data } = skb;
    const most = Math.min(lenBytes, FRAME_HEAD_BYTES);
    let copied = 0;
    let inHead = most;
    if (this.#split !== null && lenBytes > SPLIT_BYTES && (device.features & DEVICE_FEATURE.HEADER_SPLIT) !== 0) {
      frame.copy(memory, data, 0, SPLIT_BYTES);
      copied = SPLIT_BYTES;
      const headerBytes = this.#headerBytes(device, skb, this.#split);
      if (headerBytes > 0 && lenBytes - headerBytes >= SPLIT_BYTES) inHead = headerBytes;
    }
    if (inHead > copied) frame.copy(memory, data + copied, copied, inHead - copied);
    if (inHead < most) this.counters.splits.value++;
    this.counters.copiedBytes.value += Math.max(inHead, copied);
    put(skb, inHead);
    return this.#pages(skb, frame, lenBytes);
  }

  /** Of the {@link SPLIT_BYTES} that lie in the head. */
  #headerBytes(device: NetDevice, skb: Skb, split: Port<HeaderSplit>): number {
    const current = this.#current;
    const caller = current.id;
    current.id = split.owner;
    try {
      const { memory, data } = skb;
      const headerBytes = split.current.headerBytes(device, memory.view, data, data + SPLIT_BYTES);
      current.id = caller;
      return headerBytes;
    } catch (error) {
      // A parser's fault, whose name stands in `current`. The packet is nobody's yet.
      skb.memory.pool.release(skb);
      throw error;
    }
  }

  #head(lenBytes: number): Skb | null {
    const skb = this.#pool.current.alloc(RECEIVE_HEADROOM_BYTES, Math.min(lenBytes, FRAME_HEAD_BYTES));
    if (skb !== null) skb.mac = skb.data;
    return skb;
  }

  /** Hangs pages for what is not in the head behind it, with their bytes. @param frame null: they are written later. */
  #pages(skb: Skb, frame: Frame | null, lenBytes: number): Skb | null {
    const { counters } = this;
    const { pool } = skb.memory;
    for (let at = skb.len; at < lenBytes; at += PAGE_BYTES) {
      const page = pool.page(Math.min(PAGE_BYTES, lenBytes - at));
      if (page === null) {
        pool.release(skb);
        return null;
      }
      if (frame !== null) {
        frame.copy(page.memory, page.offset, at, page.lenBytes);
        counters.copiedBytes.value += page.lenBytes;
      }
      counters.pages.value++;
      appendFragment(skb, page);
    }
    return skb;
  }
}

/** What is received, wherever it lies. */
interface Frame {
  /** Copies `lenBytes` from its byte `from` on. */
  copy(to: PacketMemory, at: number, from: number, lenBytes: number): void;
}

/** Up to here a copy word by word is as fast as a view and `set`, and makes no garbage. Measured. */
const WORDS_BYTES = 128;

/** Of bytes in a row. The last array is kept, with a view of it: mostly it is the driver's ring. */
class ArrayFrame implements Frame {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView | null = null;
  #from = 0;

  open(bytes: Uint8Array, from: number): void {
    this.#from = from;
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = null;
  }

  copy(to: PacketMemory, at: number, from: number, lenBytes: number): void {
    const bytes = this.#bytes;
    if (lenBytes > WORDS_BYTES || lenBytes === bytes.length) {
      copyBytes(to.bytes, at, bytes, this.#from + from, lenBytes);
      return;
    }
    this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    copyWords(to.view, at, this.#view, this.#from + from, lenBytes);
  }
}

/** Of a packet. */
class PacketFrame implements Frame {
  readonly #reader = new SkbReader();
  #skb: Skb | null = null;
  /** Where the reader stands; -1: it is to be opened. */
  #at = -1;

  open(skb: Skb): void {
    this.#skb = skb;
    this.#at = -1;
  }

  close(): void {
    this.#skb = null;
  }

  copy(to: PacketMemory, at: number, from: number, lenBytes: number): void {
    if (this.#at !== from) this.#reader.open(this.#skb!, from);
    this.#reader.copyTo(to.view, at, lenBytes);
    this.#at = from + lenBytes;
  }
}
