import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { NetDevice, Notice, Owner } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Capture } from '@softnet/nic-driver';
import { Captures, parseFilter } from '@softnet/nic-driver';
import { count } from '../text/count.ts';
import { cannotWrite, IN_A_FOLDER } from './cannot-write.ts';
import type { CaptureSink, SinkUser } from './capture-sink.ts';
import { FileSink } from './file-sink.ts';
import { numberedPath } from './numbered-path.ts';
import { openPipe, openProgram, StreamSink } from './stream-sink.ts';

/** What to capture, and where to. */
export interface CaptureFileOptions {
  /** Null: all. */
  readonly device: NetDevice | null;
  /** A file, a named pipe that somebody reads, '-' for standard output, or '|COMMAND': a program that reads it. */
  readonly path: string;
  /** In tcpdump's words. */
  readonly filter: string;
  /** Bytes of each frame that are kept; undefined: all. */
  readonly snapLenBytes: number | undefined;
  /** Write what is dropped, too, with its reasons as comments. */
  readonly drops: boolean;
  /** Begin another file after so many bytes; 0: never. Files are numbered then, and the oldest is overwritten where `files` is not 0. */
  readonly rotateBytes: number;
  readonly files: number;
  /** Keep so many bytes in memory, the last ones, and write them when it ends or is asked to; 0: write all, at once. */
  readonly ringBytes: number;
  /** It ended without being asked to. */
  ended(file: CaptureFile): void;
}

/** A capture that runs, and what it goes to. Lets go when its module leaves. */
export class CaptureFile implements Owner, SinkUser {
  readonly name: string;
  readonly path: string;
  /** 'eth0', or 'any'. */
  readonly what: string;
  readonly #kernel: Kernel;
  readonly #options: CaptureFileOptions;
  #capture: Capture;
  #sink: CaptureSink | null;
  /** Of this capture, in the file at hand; how many files before it. */
  #bytes = 0;
  #number = 0;
  /** What the captures before this one had. */
  #frames = 0;
  #drops = 0;
  #missed = 0;
  #closed = false;
  #why = '';

  /** @throws NetError what the file system says; as `Captures.start` does. */
  constructor(kernel: Kernel, options: CaptureFileOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.path = options.path;
    this.what = options.device?.name ?? 'any';
    this.name = `capture ${options.path}`;
    // Before a file is emptied for it.
    parseFilter(options.filter);
    if (options.ringBytes > 0) checkFolder(options.path);
    this.#sink = options.ringBytes > 0 ? null : this.#open();
    try {
      this.#capture = this.#start();
    } catch (error) {
      this.#sink?.close();
      throw error;
    }
  }

  notice({ sort }: Notice): void {
    if (this.#closed || sort === 'back' || sort === 'moved') return;
    this.#finish();
    this.#options.ended(this);
  }

  drained(): void {
    this.#capture.resume();
  }

  gone(why: string): void {
    if (this.#closed) return;
    this.#why = why;
    this.#finish();
    this.#options.ended(this);
  }

  /** Ends it; all that was captured is in the file. Idempotent. @throws NetError where a ring cannot be written. */
  stop(): void {
    this.#finish();
  }

  /** Writes what a ring has to the file; the capture goes on. @throws NetError EINVAL: it has no ring. */
  dump(): number {
    const bytes = this.#capture.dump();
    const file = new FileSink(this.path);
    file.write(bytes);
    file.close();
    return this.#capture.kept;
  }

  /** Does it keep packets for `dump`? */
  get hasRing(): boolean {
    return this.#options.ringBytes > 0;
  }

  /** '12 packets (2 of them dropped ones) of eth0 in x.pcapng'. */
  get sentence(): string {
    const { error, kept } = this.#capture;
    const [frames, drops, missed] = this.#sums();
    const dropped = drops === 0 ? '' : ` (${drops} of them dropped by the stack, with the reason)`;
    const said = error === null ? this.#why : error instanceof Error ? error.message : String(error);
    const failed = said === '' ? '' : `; ended by: ${said}`;
    const lost = missed === 0 ? '' : `; ${count(missed, 'more packet')} missed, as its reader is slow`;
    const ring = this.#options.ringBytes === 0 ? '' : `, of which the last ${kept} are kept`;
    return `${count(frames, 'packet')}${dropped} of ${this.what} in ${this.#where}${ring}${lost}${failed}`;
  }

  get #where(): string {
    if (this.#options.rotateBytes === 0) return this.path;
    return this.#number === 1 ? numberedPath(this.path, 1) : `${numberedPath(this.path, 1)} and ${count(this.#number - 1, 'more file')}`;
  }

  #sums(): [frames: number, drops: number, missed: number] {
    const { frames, drops, missed } = this.#capture;
    return [this.#frames + frames, this.#drops + drops, this.#missed + missed];
  }

  #start(): Capture {
    const { device, drops, snapLenBytes, filter, ringBytes } = this.#options;
    return this.#kernel.port(Captures).current.start(
      {
        device,
        drops,
        epochUs: epochUs(this.#kernel),
        ...(filter === '' ? {} : { filter }),
        ...(snapLenBytes === undefined ? {} : { snapLenBytes }),
        ...(ringBytes > 0 ? { ring: { maxBytes: ringBytes } } : { write: (bytes: Uint8Array) => this.#write(bytes) }),
      },
      this,
    );
  }

  #open(): CaptureSink {
    const { path, rotateBytes, files } = this.#options;
    if (path.startsWith('|')) return openProgram(path.slice(1).trim(), this);
    if (path === '-') return new StreamSink(process.stdout, this);
    if (rotateBytes === 0) return isPipe(path) ? openPipe(path, this) : new FileSink(path);
    const number = files === 0 ? this.#number : this.#number % files;
    this.#number++;
    return new FileSink(numberedPath(path, number + 1));
  }

  #write(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (!this.#sink!.write(bytes)) this.#capture.pause();
    const { rotateBytes } = this.#options;
    if (rotateBytes > 0 && this.#bytes >= rotateBytes && !this.#closed && !this.#capture.closed) this.#rotate();
  }

  /** Each file is whole by itself, so another one is another capture. */
  #rotate(): void {
    this.#capture.close();
    this.#sink!.close();
    try {
      this.#sink = this.#open();
      const before = this.#sums();
      this.#capture = this.#start();
      [this.#frames, this.#drops, this.#missed] = before;
      this.#bytes = 0;
    } catch (error) {
      this.gone((error as Error).message);
    }
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#capture.close();
    this.#sink?.close();
    if (this.#options.ringBytes > 0) this.dump();
  }
}

/** A ring writes at the end: better to hear now that it cannot. */
function checkFolder(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error, IN_A_FOLDER);
  }
}

function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** When the World of a kernel began, µs since 1970; in virtual time it began then. */
function epochUs({ world }: Kernel): number {
  return world.virtual ? 0 : Date.now() * 1000 - world.nowUs;
}
