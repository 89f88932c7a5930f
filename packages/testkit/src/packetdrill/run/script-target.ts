import type { SentPacket } from '../link/script-link.ts';
import type { SystemCalls } from '../system/system-calls.ts';
import type { ScriptClock } from './script-clock.ts';

/** The wire's other end. */
export interface TargetLink {
  /** Sent by the kernel and not looked at yet. */
  readonly sent: SentPacket[];
  /** Settles when there is a packet in `sent`. */
  heard(): Promise<void>;
  /** The kernel receives an IP packet. */
  inject(bytes: Uint8Array): void;
}

/** A kernel that a script runs against: ours in virtual time, or another. */
export interface ScriptTarget {
  readonly clock: ScriptClock;
  readonly link: TargetLink;
  readonly calls: SystemCalls;
  readonly shell: { run(text: string): void };
  /** By what share of a wait a timer may be late beyond the tolerance: Linux's timer wheel rounds up by an eighth at most. */
  readonly lateShare: number;
  /** So much more may time stamps be off: where events are late, all later stamps are. */
  readonly stampSlackUs: number;
}
