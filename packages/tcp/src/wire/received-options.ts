import {
  OPTION_END,
  optionBytes,
  TCP_ALIGNED_TIMESTAMPS,
  TCP_HEADER_BYTES,
  TCP_OPTION,
  TCP_OPTION_BYTES,
  tcpHeaderBytes,
  tcpOptionMss,
  tcpOptionTimestamp,
  tcpOptionTimestampEcho,
  tcpOptionWindowScale,
  tcpSackBlocks,
} from '@softnet/wire';

/** RFC 7323 §2.3: a larger shift counts as this. */
export const MAX_WINDOW_SCALE = 14;
const ALIGNED_BYTES = TCP_HEADER_BYTES + 12;

/** What the options of a segment say: kept, and filled anew for each. */
export class ReceivedOptions {
  /** SYN only: RFC 9293 §3.7.1; 0: not said. */
  mssBytes = 0;
  /** SYN only: RFC 7323 §2.2; -1: not said. */
  windowScale = -1;
  /** SYN only: RFC 2018 §2. */
  sackPermitted = false;
  hasTimestamps = false;
  /** int32 (RFC 7323 §3.2). */
  tsVal = 0;
  tsEcr = 0;
  /** Where the option SACK stands, for `tcpSackLeft` and its kin; its blocks, 0: none. */
  sackAt = 0;
  sackBlocks = 0;
  /** SYN only: where a Fast Open cookie stands, and its length (RFC 7413 §4.1.1), 0: it is asked for; -1: not said. */
  fastOpenAt = 0;
  fastOpenBytes = -1;
}

function clear(into: ReceivedOptions): void {
  into.mssBytes = 0;
  into.windowScale = -1;
  into.sackPermitted = false;
  into.hasTimestamps = false;
  into.tsVal = 0;
  into.tsEcr = 0;
  into.sackAt = 0;
  into.sackBlocks = 0;
  into.fastOpenAt = 0;
  into.fastOpenBytes = -1;
}

/**
 * Reads the options of the header at `offset`, which is all there. An option whose length is not its kind's is skipped (RFC 9293 §3.1), as are unknown
 * ones, MD5 and AO; of one that comes twice the last counts.
 * @param isSyn MSS, window scale, SACK-permitted and Fast Open count in a SYN only.
 * @returns false: a length is illegal (MUST-7); what stood before it is read, as Linux does.
 */
export function readOptions(view: DataView, offset: number, isSyn: boolean, into: ReceivedOptions): boolean {
  clear(into);
  const headerBytes = tcpHeaderBytes(view, offset);
  const first = offset + TCP_HEADER_BYTES;
  if (headerBytes === ALIGNED_BYTES && view.getInt32(first) === TCP_ALIGNED_TIMESTAMPS) {
    // Nearly every segment (RFC 7323, appendix A).
    readTimestamps(view, first + 2, into);
    return true;
  }
  const end = offset + headerBytes;
  for (let at = first, step = 0; at < end; at += step) {
    step = optionBytes(view, at, end);
    if (step === 0) return false;
    const kind = view.getUint8(at);
    if (kind === OPTION_END) break;
    if (kind === TCP_OPTION.TIMESTAMPS) {
      if (step === TCP_OPTION_BYTES.TIMESTAMPS) readTimestamps(view, at, into);
    } else if (kind === TCP_OPTION.SACK) readSack(at, step, into);
    else if (isSyn) readSynOption(view, at, kind, step, into);
  }
  return true;
}

function readTimestamps(view: DataView, at: number, into: ReceivedOptions): void {
  into.hasTimestamps = true;
  into.tsVal = tcpOptionTimestamp(view, at);
  into.tsEcr = tcpOptionTimestampEcho(view, at);
}

function readSack(at: number, lenBytes: number, into: ReceivedOptions): void {
  const blocks = tcpSackBlocks(lenBytes);
  if (blocks < 0) return;
  into.sackAt = at;
  into.sackBlocks = blocks;
}

function readSynOption(view: DataView, at: number, kind: number, lenBytes: number, into: ReceivedOptions): void {
  if (kind === TCP_OPTION.MSS && lenBytes === TCP_OPTION_BYTES.MSS) into.mssBytes = tcpOptionMss(view, at);
  else if (kind === TCP_OPTION.WINDOW_SCALE && lenBytes === TCP_OPTION_BYTES.WINDOW_SCALE)
    into.windowScale = Math.min(tcpOptionWindowScale(view, at), MAX_WINDOW_SCALE);
  else if (kind === TCP_OPTION.SACK_PERMITTED && lenBytes === TCP_OPTION_BYTES.SACK_PERMITTED) into.sackPermitted = true;
  else if (kind === TCP_OPTION.FAST_OPEN && isCookie(lenBytes - 2)) {
    into.fastOpenAt = at + 2;
    into.fastOpenBytes = lenBytes - 2;
  }
}

/** RFC 7413 §4.1.1: none, or 4 to 16 bytes, even. */
function isCookie(lenBytes: number): boolean {
  return lenBytes === 0 || (lenBytes >= 4 && lenBytes <= 16 && (lenBytes & 1) === 0);
}
