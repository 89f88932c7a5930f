import type { NetDevice, Owner } from '@softnet/contract';
import { defineService, Held } from '@softnet/contract';
import type { PacketFilter } from './filter/packet-filter.ts';

/** The last packets, in memory: what comes first goes out first. */
export interface RingSize {
  /** 65,536 to 1 GiB; allocated at once. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Default: as many as fit. */
  readonly maxPackets?: number;
}

/** What to capture, and where to: exactly one of `write` and `ring`. */
export interface CaptureOptions {
  /** Null: all. Default null. */
  readonly device?: NetDevice | null;
  /** Which packets; text as {@link parseFilter} takes it ('udp and port 53'), or its tree. Default: all. */
  readonly filter?: string | PacketFilter;
  /** Keep the last packets for {@link Capture.dump}. */
  readonly ring?: RingSize;
  /**
   * Gets the file, piece by piece, soon after the packets and never amid their way; the bytes are its own from then on. When it throws,
   * the capture ends.
   */
  readonly write?: (bytes: Uint8Array) => void;
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
  /** Frames that were not written, since more came in a turn (or while it was paused) than 4 MiB; those that are longer than the ring. */
  missed = 0;
  /** Packets that the ring has now; 0 without one. */
  abstract readonly kept: number;
  /** What `write` threw, which ended it. */
  error: unknown = null;
  /** Has it ended: by `close`, by an error, or with its module. */
  closed = false;
  /** Gives `write` what is collected, and ends. Idempotent. */
  abstract close(): void;
  /** `write` has enough for now: it is not called until `resume`. What comes is collected meanwhile, 4 MiB at most; then `missed` counts. */
  abstract pause(): void;
  abstract resume(): void;
  /** What the ring has, as a file of its own; also after the end. @throws NetError EINVAL: it has no ring. */
  abstract dump(): Uint8Array;
}

/** Starts captures in the pcapng format, which Wireshark opens. A **door**. */
export interface Captures {
  /** @throws NetError EINVAL for a bad option; for a filter, where and what was expected there. */
  start(options: CaptureOptions, owner: Owner): Capture;
}
export const Captures = defineService<Captures>({ name: 'captures', version: '1.0.0' });
