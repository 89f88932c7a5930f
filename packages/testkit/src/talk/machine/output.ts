import type { Errno } from '@softnet/contract';
import type { Segment } from '../wire.ts';

/** What a machine wants done. */
export interface TalkOutput {
  emit(segment: Segment): void;
  /** False: no room; the peer will send it again. */
  deliver(bytes: Uint8Array): boolean;
  opened(): void;
  writable(): void;
  /** The peer said BYE: no more data comes. */
  peerDone(): void;
  /** The state is 'lingering', or 'closed' (with what ended it). */
  finished(error: Errno | undefined): void;
}

/** The settings of a machine, read at each use. */
export interface TalkSettings {
  readonly retries: number;
  readonly rtoUs: number;
  readonly lingerUs: number;
  readonly windowBytes: number;
}
