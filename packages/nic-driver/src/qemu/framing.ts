/** Bytes of the length before each frame, in network order. */
export const LENGTH_BYTES = 4;
/** The longest frame that a peer may announce: what is longer is no frame, and the stream is lost. */
export const FRAME_LIMIT_BYTES = 65_550;

/** What comes out of a stream, frame by frame: for each `begin`, any number of `part`s, `end`. */
export interface FrameSink {
  /** A frame of `lenBytes`, 0 to {@link FRAME_LIMIT_BYTES}, begins. */
  begin(lenBytes: number): void;
  /** Its next bytes: `lenBytes` (1 and up) of `chunk` from `from` on. They are the stream's: copy them. */
  part(chunk: Uint8Array, from: number, lenBytes: number): void;
  /** All of it was there. False: no more for now. */
  end(): boolean;
}

/**
 * Takes a stream apart into frames, as QEMU's `-netdev stream` and `-netdev socket` write it: a length of 32 bits in network
 * order, then so many bytes of Ethernet frame without FCS. It sees chunks however they were cut, and keeps none.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  /** Bytes of the length that are there, and their value so far. */
  #lengthSeen = 0;
  #length = 0;
  /** Bytes of the frame that are to come; -1: between frames, or in a length. */
  #left = -1;
  #broken = false;
  #paused = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** True while a length or a frame has begun and is not there whole: a stream that ends now ends too early. */
  get midFrame(): boolean {
    return this.#lengthSeen > 0 || this.#left >= 0;
  }

  /** A length that no frame has; 0: all is well. */
  get lyingLength(): number {
    return this.#broken ? this.#length : 0;
  }

  /**
   * Takes the next bytes of the stream, `chunk` from `from` to `end`, and returns the offset behind those that it took: `end`, or less
   * where the sink wants no more for now, or where {@link lyingLength} says that nothing more can be read, ever.
   */
  accept(chunk: Uint8Array, from = 0, end: number = chunk.length): number {
    let at = from;
    this.#paused = false;
    while (at < end && !this.#paused && !this.#broken) {
      at = this.#left < 0 ? this.#readLength(chunk, at, end) : this.#readFrame(chunk, at, end);
    }
    return at;
  }

  #readLength(chunk: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && this.#lengthSeen < LENGTH_BYTES) {
      this.#length = ((this.#length << 8) | chunk[at++]!) >>> 0;
      this.#lengthSeen++;
    }
    if (this.#lengthSeen < LENGTH_BYTES) return at;
    if (this.#length > FRAME_LIMIT_BYTES) {
      this.#broken = true;
      return at;
    }
    this.#left = this.#length;
    this.#lengthSeen = 0;
    this.#length = 0;
    this.#sink.begin(this.#left);
    this.#endIfWhole();
    return at;
  }

  #readFrame(chunk: Uint8Array, at: number, end: number): number {
    const lenBytes = Math.min(this.#left, end - at);
    this.#sink.part(chunk, at, lenBytes);
    this.#left -= lenBytes;
    this.#endIfWhole();
    return at + lenBytes;
  }

  #endIfWhole(): void {
    if (this.#left > 0) return;
    this.#left = -1;
    this.#paused = !this.#sink.end();
  }
}

/** Writes the length of a frame. Returns the offset behind it. */
export function putLength(bytes: Uint8Array, at: number, lenBytes: number): number {
  bytes[at] = lenBytes >>> 24;
  bytes[at + 1] = lenBytes >>> 16;
  bytes[at + 2] = lenBytes >>> 8;
  bytes[at + 3] = lenBytes;
  return at + LENGTH_BYTES;
}
