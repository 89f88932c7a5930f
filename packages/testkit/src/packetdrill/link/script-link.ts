/** A packet that the kernel under test has sent, and when. */
export interface SentPacket {
  readonly bytes: Uint8Array;
  readonly timeUs: number;
}

/** The wire's other end: what a script sends goes in, what the kernel sends comes out, IP packets without a link header. */
export class ScriptLink {
  /** Sent and not looked at yet. */
  readonly sent: SentPacket[] = [];
  /** Waits for the next packet. */
  #hear: (() => void) | null = null;
  /** Set by the device: there is something to receive. */
  ring: (() => void) | null = null;
  readonly #injected: Uint8Array[] = [];

  /** The kernel receives it in its next turn. */
  inject(bytes: Uint8Array): void {
    this.#injected.push(bytes);
    this.ring?.();
  }

  /** For the device: the next of what was injected. */
  next(): Uint8Array | null {
    return this.#injected.shift() ?? null;
  }

  /** For the device: the kernel has sent one. */
  transmitted(bytes: Uint8Array, timeUs: number): void {
    this.sent.push({ bytes, timeUs });
    const hear = this.#hear;
    this.#hear = null;
    hear?.();
  }

  /** When there is a packet in `sent`. */
  heard(): Promise<void> {
    if (this.sent.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#hear = resolve;
    });
  }
}
