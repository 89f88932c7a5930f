import { Buffer } from 'node:buffer';
import type { Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { MAX_DATAGRAM_BYTES } from './datagram-link.ts';

/** One frame of the greatest length fits, and some forty of the usual one. */
const SEND_BUFFER_BYTES = MAX_DATAGRAM_BYTES;
/** Buffers with frames that the host has not taken yet, and those that are spare. */
export const MOST_SEND_BUFFERS = 4;

/** Takes frames away: a socket. */
export interface DatagramSender {
  /** It has the bytes until it calls `done`, of this datagram or of one after it. */
  send(bytes: Uint8Array, from: number, lenBytes: number, done: ((error: Error | null) => void) | null): void;
}

interface SendBuffer {
  readonly bytes: Uint8Array;
  /** Made once, not for each use. */
  readonly done: (error: Error | null) => void;
}

/**
 * Frames on their way into a socket: copied out once, many into one buffer, each sent by itself. Only the last one of a buffer is waited
 * for: the host takes them in order, and being told of each costs more than the frame.
 */
export class OutgoingDatagrams {
  readonly #reader = new SkbReader();
  readonly #spare: SendBuffer[] = [];
  readonly #drained: (error: Error | null) => void;
  #made = 0;
  #buffer: SendBuffer | null = null;
  #filled = 0;
  /** Length of the last frame in the buffer, which is not sent yet: it may be the one to wait for. */
  #heldBytes = 0;

  /** @param drained a buffer is free again; of its last frame: what the host said. */
  constructor(drained: (error: Error | null) => void) {
    this.#drained = drained;
  }

  /** May a frame be put? */
  get hasRoom(): boolean {
    return this.#buffer !== null || this.#spare.length > 0 || this.#made < MOST_SEND_BUFFERS;
  }

  /** Copies a frame, of {@link MAX_DATAGRAM_BYTES} at most. False: the host has not taken enough yet; `drained` tells. */
  put(skb: Skb, to: DatagramSender): boolean {
    if (this.#filled + skb.len > SEND_BUFFER_BYTES) this.flush(to);
    const buffer = this.#buffer ?? this.#take();
    if (buffer === null) return false;
    this.#buffer = buffer;
    if (this.#heldBytes > 0) to.send(buffer.bytes, this.#filled - this.#heldBytes, this.#heldBytes, null);
    if (this.#reader.open(skb)) this.#reader.copyOut(buffer.bytes, this.#filled);
    this.#filled += skb.len;
    this.#heldBytes = skb.len;
    return true;
  }

  /** Sends what is there, to the last frame. */
  flush(to: DatagramSender): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    this.#buffer = null;
    to.send(buffer.bytes, this.#filled - this.#heldBytes, this.#heldBytes, buffer.done);
    this.#filled = 0;
    this.#heldBytes = 0;
  }

  #take(): SendBuffer | null {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    if (this.#made === MOST_SEND_BUFFERS) return null;
    this.#made++;
    const buffer: SendBuffer = {
      bytes: Buffer.allocUnsafeSlow(SEND_BUFFER_BYTES),
      done: (error) => {
        this.#spare.push(buffer);
        this.#drained(error);
      },
    };
    return buffer;
  }
}
