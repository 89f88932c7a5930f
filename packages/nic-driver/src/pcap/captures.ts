import type { NetDevice, Owner } from '@softnet/contract';
import { defineService, Held } from '@softnet/contract';

/** What to capture, and where to. */
export interface CaptureOptions {
  /** Null: all. Default null. */
  readonly device?: NetDevice | null;
  /**
   * Gets the file, piece by piece, soon after the packets and never amid their way; the bytes are its own from then on. When it throws,
   * the capture ends.
   */
  write(bytes: Uint8Array): void;
  /** Bytes of each frame that are kept, 1 to 262,144; default 262,144. */
  readonly snapLenBytes?: number;
  /** The World's boot in µs since 1970: is added to kernel time. Default 0. */
  readonly epochUs?: number;
  /** Write packets that are dropped, with their reasons as comments. Default true. */
  readonly drops?: boolean;
}

/** A capture that runs: it holds the module `pcap` up, as it is somebody's. Linux: a packet socket of tcpdump's. */
export abstract class Capture extends Held {
  /** Frames written, and dropped packets among them. */
  frames = 0;
  drops = 0;
  /** Frames that were not written, since more came in a turn than 4 MiB. */
  missed = 0;
  /** What `write` threw, which ended it. */
  error: unknown = null;
  /** Has it ended: by `close`, by an error, or with its module. */
  closed = false;
  /** Gives `write` what is collected, and ends. Idempotent. */
  abstract close(): void;
}

/** Starts captures in the pcapng format, which Wireshark opens. A **door**. */
export interface Captures {
  /** @throws NetError EINVAL for a bad option. */
  start(options: CaptureOptions, owner: Owner): Capture;
}
export const Captures = defineService<Captures>({ name: 'captures', version: '1.0.0' });
