// What is behind descriptors, a tap's most of all, in memory, for tests. Not exported.
import type { PacketMemory } from '@softnet/contract';
import type { Libc, Watch } from './libc.ts';

const EAGAIN = 11;
const EBADFD = 77;
const EIO = 5;

/** What is behind one descriptor. */
class FakeQueue {
  readonly incoming: Uint8Array[] = [];
  /** What is written. */
  readonly written: Uint8Array[] = [];
  watched: 'closed' | 'resting' | 'readable' | 'readable or writable' = 'resting';
  ready: () => void = () => {};
}

/** Says what it is told to say, and keeps what is written. */
export class FakeLibc implements Libc {
  readonly queues = new Map<number, FakeQueue>();
  /** Errnos that calls answer before anything else, in order. */
  readonly readErrors: number[] = [];
  readonly writeErrors: number[] = [];
  readonly ioctlErrors = new Map<number, number>();
  up = true;
  deleted = false;
  reads = 0;
  readonly carrier: boolean[] = [];
  /** What calls of ioctl with a number were about, and the number. */
  readonly numbers: (readonly [request: number, value: number])[] = [];
  /** Descriptors that TUNSETQUEUE let go, or took back. */
  readonly attached: (readonly [fd: number, attached: boolean])[] = [];
  #errno = 0;
  readonly #memories: Uint8Array[] = [];

  queue(fd = 999): FakeQueue {
    const queue = this.queues.get(fd) ?? new FakeQueue();
    this.queues.set(fd, queue);
    return queue;
  }

  get incoming(): Uint8Array[] {
    return this.queue().incoming;
  }

  get written(): Uint8Array[] {
    return this.queue().written;
  }

  get watched(): FakeQueue['watched'] {
    return this.queue().watched;
  }

  /** The event loop looks once. */
  look(): void {
    for (const { watched, incoming, ready } of this.queues.values()) {
      if (watched === 'closed' || watched === 'resting') continue;
      if (this.deleted || incoming.length > 0 || (watched === 'readable or writable' && this.up)) ready();
    }
  }

  readv(fd: number, iovecs: Uint32Array, count: number): number {
    this.reads++;
    const { incoming } = this.queue(fd);
    const error = this.readErrors.shift() ?? (this.deleted ? EBADFD : incoming.length === 0 ? EAGAIN : 0);
    if (error !== 0) return this.fail(error);
    const frame = incoming.shift()!;
    let at = 0;
    for (const run of this.#runs(iovecs, count)) {
      const part = frame.subarray(at, at + run.length);
      run.set(part);
      at += part.length;
    }
    return at;
  }

  writev(fd: number, iovecs: Uint32Array, count: number): number {
    const error = this.writeErrors.shift() ?? (this.deleted ? EBADFD : this.up ? 0 : EIO);
    if (error !== 0) return this.fail(error);
    const frame = Buffer.concat(this.#runs(iovecs, count));
    this.queue(fd).written.push(new Uint8Array(frame));
    return frame.length;
  }

  ioctl(fd: number, request: number, argument: Uint8Array | number): number {
    const error = this.ioctlErrors.get(request);
    if (error !== undefined) return this.fail(error);
    if (typeof argument === 'number') this.numbers.push([request, argument]);
    else if (request === 0x400454e2) this.carrier.push(argument[0] === 1);
    else if (request === 0x400454d9) this.attached.push([fd, argument[17] === 0x02]);
    else if (request === 0x8927) argument.set([2, 0, 0, 0, 0, 0x11], 18);
    return 0;
  }

  canWrite(): boolean {
    return this.up && !this.deleted && this.writeErrors[0] === undefined;
  }

  errno(): number {
    return this.#errno;
  }

  addressOf(bytes: PacketMemory['bytes']): bigint {
    const at = this.#memories.findIndex(({ buffer }) => buffer === bytes.buffer);
    if (at < 0) this.#memories.push(bytes);
    return BigInt(at < 0 ? this.#memories.length : at + 1) << 40n;
  }

  watch(fd: number, ready: () => void): Watch {
    const queue = this.queue(fd);
    queue.ready = ready;
    queue.watched = 'resting';
    return {
      start: (writable) => {
        if (queue.watched !== 'closed') queue.watched = writable ? 'readable or writable' : 'readable';
      },
      stop: () => {
        if (queue.watched !== 'closed') queue.watched = 'resting';
      },
      close: () => {
        queue.watched = 'closed';
      },
    };
  }

  protected fail(errno: number): number {
    this.#errno = errno;
    return -1;
  }

  #runs(iovecs: Uint32Array, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, at) => {
      const address = (BigInt(iovecs[at * 4 + 1]!) << 32n) | BigInt(iovecs[at * 4]!);
      const memory = this.#memories[Number(address >> 40n) - 1]!;
      const offset = Number(address & 0xff_ffff_ffffn);
      return memory.subarray(offset, offset + iovecs[at * 4 + 2]!);
    });
  }
}

/** Bytes that say how many they are. */
export function frame(lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, at) => (lenBytes + at * 7 + (at >> 8)) & 0xff);
}
