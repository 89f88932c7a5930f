import { BATCHES, HEADER_BYTES, LENGTH_BYTES, putHeader, SORT } from './messages.ts';

/** What a batch may turn out to be. */
export const NEXT = Object.freeze({ FRAME: 0, NONE: 1, LYING: 2 } as const);

/** Batches that came and wait to be read, frame by frame. They belong to the port, and go with it from one generation to the next. */
export class IncomingBatches {
  /** The frame at hand lies in `bytes`. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  lenBytes = 0;
  readonly #waiting: ArrayBuffer[] = [];
  #view: DataView | null = null;
  #at = 0;
  #end = 0;
  /** Takes an emptied buffer away. */
  readonly #emptied: (buffer: ArrayBuffer) => void;

  constructor(emptied: (buffer: ArrayBuffer) => void) {
    this.#emptied = emptied;
  }

  get idle(): boolean {
    return this.#view === null && this.#waiting.length === 0;
  }

  /** Keeps a message of sort FRAMES. False: there are as many as may be already. */
  take(message: ArrayBuffer): boolean {
    if (this.#waiting.length + (this.#view === null ? 0 : 1) >= BATCHES) return false;
    this.#waiting.push(message);
    return true;
  }

  /** Goes on to the next frame. One of {@link NEXT}; LYING: a length says more than there is, and what follows in that batch is lost. */
  next(): number {
    for (;;) {
      const view = this.#view ?? this.#begin();
      if (view === null) return NEXT.NONE;
      if (this.#at === this.#end) {
        this.#finish(view);
        continue;
      }
      const left = this.#end - this.#at - LENGTH_BYTES;
      const lenBytes = left < 0 ? 0 : view.getUint32(this.#at, true);
      if (lenBytes > left) {
        this.#finish(view);
        return NEXT.LYING;
      }
      this.offset = this.#at + LENGTH_BYTES;
      this.lenBytes = lenBytes;
      this.#at = this.offset + lenBytes;
      return NEXT.FRAME;
    }
  }

  #begin(): DataView | null {
    const message = this.#waiting.shift();
    if (message === undefined) return null;
    this.bytes = new Uint8Array(message);
    this.#view = new DataView(message);
    this.#at = HEADER_BYTES;
    this.#end = this.#view.getUint32(8, true);
    // A lie: nothing of it can be believed.
    if (this.#end < HEADER_BYTES || this.#end > message.byteLength) this.#end = HEADER_BYTES + 1;
    return this.#view;
  }

  #finish(view: DataView): void {
    this.#view = null;
    putHeader(view, SORT.RETURN);
    this.#emptied(view.buffer as ArrayBuffer);
  }
}
