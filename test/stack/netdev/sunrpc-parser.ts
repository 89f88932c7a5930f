import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { PARSER_LEVEL } from '@softnet/contract';

/** Messages of ONC RPC (RFC 5531 §9), which NFS speaks: a module of the tests teaches where its header ends. */

const MTYPE = 4;
const CALL = 0;
const REPLY = 1;
/** Transaction, type; then of a call: RPC version 2, program, version, procedure. */
const CALL_BYTES = 24;
/** Transaction, type; then of a reply: accepted or denied. */
const REPLY_BYTES = 12;
const RPC_VERSION = 2;
const MAX_AUTH_BYTES = 400;

export const sunRpc: HeaderParser = Object.freeze({ name: 'sunrpc', level: PARSER_LEVEL.UDP_PORT, number: 2049, parse });

/** Credentials and verifier are part of the header; the procedure's arguments, or results, are the payload. */
function parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
  if (endOffset - offset < REPLY_BYTES) return false;
  const end = view.getUint32(offset + MTYPE) === CALL ? behindCall(view, offset, endOffset) : behindReply(view, offset, endOffset);
  if (end < 0) return false;
  found.lenBytes = end - offset;
  return true;
}

function behindCall(view: DataView, offset: number, endOffset: number): number {
  if (endOffset - offset < CALL_BYTES || view.getUint32(offset + 8) !== RPC_VERSION) return -1;
  return behindAuth(view, behindAuth(view, offset + CALL_BYTES, endOffset), endOffset);
}

/** Only of an accepted one that succeeded there is a payload. */
function behindReply(view: DataView, offset: number, endOffset: number): number {
  if (view.getUint32(offset + MTYPE) !== REPLY || view.getUint32(offset + 8) !== 0) return -1;
  const status = behindAuth(view, offset + REPLY_BYTES, endOffset);
  if (status < 0 || endOffset - status < 4 || view.getUint32(status) !== 0) return -1;
  return status + 4;
}

/** `opaque_auth` (§8.2): flavor, length, and so many bytes, filled up to four. */
function behindAuth(view: DataView, offset: number, endOffset: number): number {
  if (offset < 0 || endOffset - offset < 8) return -1;
  const lenBytes = view.getUint32(offset + 4);
  if (lenBytes > MAX_AUTH_BYTES) return -1;
  const end = offset + 8 + ((lenBytes + 3) & ~3);
  return end > endOffset ? -1 : end;
}
