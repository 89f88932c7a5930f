import type { TalkConnection, TalkListener } from './talk/service.ts';

/** Byte `offset` of the pattern of a seed: the same on both sides, and unlike at every place. */
export function patternByte(seed: number, offset: number): number {
  let x = Math.imul(offset ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(seed + 1, 0xc2b2ae35);
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d);
  return (x ^ (x >>> 12)) & 0xff;
}

/** `count` bytes of the pattern, from `offset` on. */
export function pattern(seed: number, offset: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => patternByte(seed, offset + index));
}

/** Throws at the first byte that is not the pattern's. */
export function checkPattern(seed: number, offset: number, bytes: Uint8Array): void {
  bytes.forEach((byte, index) => {
    const expected = patternByte(seed, offset + index);
    if (byte !== expected) throw new Error(`byte ${offset + index} is ${byte}, and not ${expected}`);
  });
}

/** Makes every connection that comes to the listener an echo; closes when the peer does. */
export function serveEcho(listener: TalkListener): void {
  listener.onConnection = echo;
}

/** Sends back what comes, all of it, however little room there is. */
export function echo(connection: TalkConnection): void {
  let waiting: Uint8Array[] = [];
  let ended = false;
  const flush = (): void => {
    while (waiting.length > 0) {
      const first = waiting[0]!;
      const sent = connection.send(first);
      if (sent < first.length) {
        waiting[0] = first.subarray(sent);
        return;
      }
      waiting = waiting.slice(1);
    }
    if (ended) connection.close();
  };
  connection.onWritable = flush;
  connection.onEnd = () => {
    ended = true;
    flush();
  };
  connection.onData = (bytes) => {
    waiting.push(bytes.slice());
    flush();
  };
}

/** Sends bytes of a pattern to an echo, and checks every byte that comes back. Can be used again and again. */
export class BulkSender {
  readonly connection: TalkConnection;
  readonly seed: number;
  #sent = 0;
  #received = 0;
  #goal = 0;
  #done: (() => void) | null = null;
  #failed: ((error: unknown) => void) | null = null;

  constructor(connection: TalkConnection, seed: number) {
    this.connection = connection;
    this.seed = seed;
    connection.onData = (bytes) => this.#take(bytes);
    connection.onWritable = () => this.#push();
    void connection.closed.then((error) => this.#failed?.(error ?? new Error(`${connection.label} closed before all had come back`)));
  }

  /** Resolves when all of `count` more bytes have come back, each as it must be. */
  move(count: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#goal += count;
      this.#done = () => resolve(count);
      this.#failed = reject;
      if (this.connection.state === 'closed') reject(new Error(`${this.connection.label} is closed`));
      else this.#push();
    });
  }

  #push(): void {
    while (this.#sent < this.#goal) {
      const sent = this.connection.send(pattern(this.seed, this.#sent, Math.min(this.#goal - this.#sent, 4096)));
      if (sent === 0) return;
      this.#sent += sent;
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      checkPattern(this.seed, this.#received, bytes);
    } catch (error) {
      this.#failed?.(error);
      return;
    }
    this.#received += bytes.length;
    if (this.#received === this.#goal) this.#done?.();
  }
}
