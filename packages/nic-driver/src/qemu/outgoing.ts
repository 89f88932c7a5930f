import { Buffer } from 'node:buffer';
import type { Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { FRAME_LIMIT_BYTES, LENGTH_BYTES, putLength } from './framing.ts';

/** One frame of the greatest length fits, and some forty of the usual one. */
export const SEND_BUFFER_BYTES: number = FRAME_LIMIT_BYTES + LENGTH_BYTES;
/** Buffers that are kept while nothing is sent. */
const SPARE_BUFFERS = 2;

/** Takes bytes away: a stream. */
export interface ByteWriter {
  /** It has `bytes` until it calls `done`. False: it is full. */
  write(bytes: Uint8Array, done: () => void): boolean;
}

interface SendBuffer {
  readonly bytes: Uint8Array;
  /** Made once, not for each use. */
  readonly done: () => void;
}

/**
 * Frames on their way into a stream: copied out once, with their lengths, into one buffer for many, which is written at once. Buffers
 * are used again when the stream has done with them.
 */
export class Outgoing {
  readonly #reader = new SkbReader();
  readonly #spare: SendBuffer[] = [];
  #buffer: SendBuffer | null = null;
  #filled = 0;

  /** Copies a frame behind the others. False: there is no room for it until `flush`. It is {@link FRAME_LIMIT_BYTES} long at most. */
  put(skb: Skb): boolean {
    if (this.#filled + LENGTH_BYTES + skb.len > SEND_BUFFER_BYTES) return false;
    this.#buffer ??= this.#spare.pop() ?? this.#make();
    const { bytes } = this.#buffer;
    const at = putLength(bytes, this.#filled, skb.len);
    if (skb.len > 0) {
      this.#reader.open(skb);
      this.#reader.copyOut(bytes, at);
    }
    this.#filled = at + skb.len;
    return true;
  }

  /** Writes what is there. False: the writer is full. */
  flush(to: ByteWriter): boolean {
    const buffer = this.#buffer;
    if (buffer === null) return true;
    const bytes = buffer.bytes.subarray(0, this.#filled);
    this.#buffer = null;
    this.#filled = 0;
    return to.write(bytes, buffer.done);
  }

  #make(): SendBuffer {
    const buffer: SendBuffer = {
      bytes: Buffer.allocUnsafeSlow(SEND_BUFFER_BYTES),
      done: () => {
        if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
      },
    };
    return buffer;
  }
}
