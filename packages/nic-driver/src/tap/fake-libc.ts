// A Linux end of a tap in memory, for tests. Not exported.
import type { PacketMemory } from '@softnet/contract';
import type { Libc, Watch } from './libc.ts';

const EAGAIN = 11;
const EBADFD = 77;

/** Says what it is told to say, and keeps what is written. */
export class FakeLibc implements Libc {
  readonly incoming: Uint8Array[] = [];
  readonly written: Uint8Array[] = [];
  /** Errnos that calls answer before anything else, in order. */
  readonly readErrors: number[] = [];
  readonly writeErrors: number[] = [];
  readonly ioctlErrors = new Map<number, number>();
  up = true;
  deleted = false;
  reads = 0;
  watched: 'closed' | 'resting' | 'readable' | 'readable or writable' = 'resting';
  readonly carrier: boolean[] = [];
  #errno = 0;
  #ready: () => void = () => {};
  readonly #memories: Uint8Array[] = [];

  /** The event loop looks once. */
  look(): void {
    if (this.watched === 'closed' || this.watched === 'resting') return;
    if (this.deleted || this.incoming.length > 0 || (this.watched === 'readable or writable' && this.up)) this.#ready();
  }

  readv(_fd: number, iovecs: Uint32Array, count: number): number {
    this.reads++;
    const error = this.readErrors.shift() ?? (this.deleted ? EBADFD : this.incoming.length === 0 ? EAGAIN : 0);
    if (error !== 0) return this.#fail(error);
    const frame = this.incoming.shift()!;
    let at = 0;
    for (const run of this.#runs(iovecs, count)) {
      const part = frame.subarray(at, at + run.length);
      run.set(part);
      at += part.length;
    }
    return at;
  }

  writev(_fd: number, iovecs: Uint32Array, count: number): number {
    const error = this.writeErrors.shift() ?? (this.deleted ? EBADFD : this.up ? 0 : 5);
    if (error !== 0) return this.#fail(error);
    const frame = Buffer.concat(this.#runs(iovecs, count));
    this.written.push(new Uint8Array(frame));
    return frame.length;
  }

  ioctl(_fd: number, request: number, argument: Uint8Array | null): number {
    const error = this.ioctlErrors.get(request);
    if (error !== undefined) return this.#fail(error);
    if (request === 0x400454e2) this.carrier.push(argument![0] === 1);
    if (request === 0x8927) argument!.set([2, 0, 0, 0, 0, 0x11], 18);
    return 0;
  }

  canWrite(): boolean {
    return this.up && !this.deleted && this.writeErrors[0] === undefined;
  }

  errno(): number {
    return this.#errno;
  }

  addressOf(bytes: PacketMemory['bytes']): bigint {
    if (!this.#memories.includes(bytes)) this.#memories.push(bytes);
    return BigInt(this.#memories.indexOf(bytes) + 1) << 40n;
  }

  watch(_fd: number, ready: () => void): Watch {
    this.#ready = ready;
    this.watched = 'resting';
    return {
      start: (writable) => {
        if (this.watched !== 'closed') this.watched = writable ? 'readable or writable' : 'readable';
      },
      stop: () => {
        if (this.watched !== 'closed') this.watched = 'resting';
      },
      close: () => {
        this.watched = 'closed';
      },
    };
  }

  #fail(errno: number): number {
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
