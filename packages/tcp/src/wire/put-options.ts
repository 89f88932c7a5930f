import { TCP_ALIGNED_TIMESTAMPS, TCP_OPTION, TCP_OPTION_BYTES } from '@softnet/wire';

/** What a SYN says. Kept, and filled anew. */
export class SynOptions {
  mssBytes = 0;
  /** -1: not said. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
}

const { NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS } = TCP_OPTION;
export const ALIGNED_TIMESTAMPS_BYTES = 12;
const MAX_OPTION_BYTES = 40;

/** Writes a SYN's options at `at`, in Linux's order, whole words. @returns bytes: 4 to 24. */
export function putSynOptions(view: DataView, at: number, said: SynOptions): number {
  view.setUint16(at, (MSS << 8) | TCP_OPTION_BYTES.MSS);
  view.setUint16(at + 2, said.mssBytes);
  let next = at + 4;
  if (said.hasTimestamps) {
    // SACK-permitted takes the place of the two NOPs.
    view.setUint16(next, said.sackPermitted ? (SACK_PERMITTED << 8) | 2 : (NOP << 8) | NOP);
    view.setUint16(next + 2, (TIMESTAMPS << 8) | TCP_OPTION_BYTES.TIMESTAMPS);
    view.setInt32(next + 4, said.tsVal);
    view.setInt32(next + 8, said.tsEcr);
    next += ALIGNED_TIMESTAMPS_BYTES;
  } else if (said.sackPermitted) {
    view.setInt32(next, (NOP << 24) | (NOP << 16) | (SACK_PERMITTED << 8) | 2);
    next += 4;
  }
  if (said.windowScale >= 0) {
    view.setInt32(next, (NOP << 24) | (WINDOW_SCALE << 16) | (3 << 8) | said.windowScale);
    next += 4;
  }
  return next - at;
}

/** RFC 7323, appendix A. @returns 12. */
export function putTimestamps(view: DataView, at: number, tsVal: number, tsEcr: number): number {
  view.setInt32(at, TCP_ALIGNED_TIMESTAMPS);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
  return ALIGNED_TIMESTAMPS_BYTES;
}

/** How many SACK blocks fit behind options of so many bytes: 4, with timestamps 3 (RFC 2018 §3). */
export function sackRoom(usedBytes: number): number {
  return Math.max(0, (MAX_OPTION_BYTES - usedBytes - 4) >> 3);
}

/** Writes NOP, NOP and the first `count` blocks: `edges` is left, right, left, right ... @returns bytes; 0 for none. */
export function putSack(view: DataView, at: number, edges: Int32Array, count: number): number {
  if (count === 0) return 0;
  view.setInt32(at, (NOP << 24) | (NOP << 16) | (SACK << 8) | (2 + count * 8));
  for (let i = 0; i < count * 2; i++) view.setInt32(at + 4 + i * 4, edges[i]!);
  return 4 + count * 8;
}
