import { closeSync, openSync, writeSync } from 'node:fs';
import type { Errno, NetDevice, Notice, Owner } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Capture } from '@softnet/nic-driver';
import { Captures } from '@softnet/nic-driver';
import { count } from '../text/count.ts';

/** What to capture into a file. */
export interface CaptureFileOptions {
  /** Null: all. */
  readonly device: NetDevice | null;
  readonly path: string;
  /** Bytes of each frame that are kept; undefined: all. */
  readonly snapLenBytes: number | undefined;
  /** Write what is dropped, too, with its reasons as comments. */
  readonly drops: boolean;
  /** It ended without being asked to. */
  ended(file: CaptureFile): void;
}

/** A capture that runs, and the file that it goes to. Lets go when its module leaves. */
export class CaptureFile implements Owner {
  readonly name: string;
  readonly path: string;
  /** 'eth0', or 'any'. */
  readonly what: string;
  readonly #capture: Capture;
  readonly #ended: (file: CaptureFile) => void;
  #descriptor: number;
  #closed = false;

  /** @throws NetError what the file system says; as `Captures.start` does. */
  constructor(kernel: Kernel, { device, path, snapLenBytes, drops, ended }: CaptureFileOptions) {
    this.path = path;
    this.what = device?.name ?? 'any';
    this.name = `capture ${path}`;
    this.#ended = ended;
    const captures = kernel.port(Captures).current;
    this.#descriptor = open(path);
    try {
      this.#capture = captures.start(
        {
          device,
          drops,
          epochUs: epochUs(kernel),
          ...(snapLenBytes === undefined ? {} : { snapLenBytes }),
          write: (bytes) => this.#write(bytes),
        },
        this,
      );
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  notice({ sort }: Notice): void {
    if (this.#closed || sort === 'back' || sort === 'moved') return;
    if (sort === 'leaving') this.#capture.close();
    this.#close();
    this.#ended(this);
  }

  /** Ends it; all that was captured is in the file. Idempotent. */
  stop(): void {
    this.#capture.close();
    this.#close();
  }

  /** 'captured 12 packets (2 of them dropped ones) of eth0 into x.pcapng'. */
  get sentence(): string {
    const { frames, drops, error } = this.#capture;
    const dropped = drops === 0 ? '' : ` (${drops} of them dropped by the stack, with the reason)`;
    const failed = error === null ? '' : `; ended by: ${error instanceof Error ? error.message : String(error)}`;
    return `${count(frames, 'packet')}${dropped} of ${this.what} in ${this.path}${failed}`;
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    const code = (error as { readonly code?: string }).code ?? '';
    const errno: Errno = Object.hasOwn(ERRNO, code) ? (code as Errno) : 'EIO';
    throw new NetError(errno, `${path} cannot be written: give a file in a folder that is there and yours`, { cause: error });
  }
}

/** When the World of a kernel began, µs since 1970; in virtual time it began then. */
function epochUs({ world }: Kernel): number {
  return world.virtual ? 0 : Date.now() * 1000 - world.nowUs;
}
