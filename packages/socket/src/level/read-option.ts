import type { SockCommon } from '@softnet/contract';
import { ERRNO, SO, SOCK_BUFFER_BYTES, SOCK_FLAG, SOCK_TYPE, SockOptions } from '@softnet/contract';
import { FLAG_OF, TOLD_OF } from './option-bits.ts';
import { TOLD } from './packet-times.ts';
import { putInts } from './words.ts';

/** What a socket says that has set nothing. */
const USUAL: Readonly<SockOptions> = Object.freeze(new SockOptions());

/** `getsockopt` of SOL_SOCKET, but for the device's name. Bytes written, or -errno. */
export function readOption(sock: SockCommon, name: number, value: Uint8Array): number {
  const { receiveTimeoutUs, sendTimeoutUs, lingerSec } = sock.options ?? USUAL;
  switch (name) {
    case SO.LINGER:
      return putInts(value, lingerSec < 0 ? 0 : 1, Math.max(0, lingerSec));
    case SO.RCVTIMEO:
    case SO.RCVTIMEO_NEW:
      return putTimeout(value, receiveTimeoutUs);
    case SO.SNDTIMEO:
    case SO.SNDTIMEO_NEW:
      return putTimeout(value, sendTimeoutUs);
    case SO.MEMINFO:
      return putInts(value, ...memoryOf(sock));
    case SO.TIMESTAMPING:
    case SO.TIMESTAMPING_NEW:
      // No clock of a device is bound.
      return putInts(value, sock.options?.timestamping ?? 0, 0);
  }
  const number = numberOf(sock, name);
  if (number === null) return -ERRNO.ENOPROTOOPT;
  const count = putInts(value, number);
  if (count > 0 && name === SO.ERROR) sock.error = 0;
  return count;
}

/** Null: there is no such option. */
function numberOf(sock: SockCommon, name: number): number | null {
  const { options, ops, flags } = sock;
  const { mark, priority, sendLimitBytes, receiveLimitBytes, receiveLowBytes, peekOffsetBytes, ancillary } = options ?? USUAL;
  const { bufferLocks, incomingCpu } = options ?? USUAL;
  const flag = FLAG_OF[name];
  if (flag !== undefined) return (flags & flag) === 0 ? 0 : 1;
  const told = TOLD_OF[name];
  if (told !== undefined) return (ancillary & told) === 0 ? 0 : 1;
  switch (name) {
    case SO.TYPE:
      return ops.type;
    case SO.ERROR:
      return sock.error;
    case SO.PROTOCOL:
      return sock.protocol;
    case SO.DOMAIN:
      return sock.family;
    case SO.ACCEPTCONN:
      return isStream(ops.type) && (flags & SOCK_FLAG.LISTENING) !== 0 ? 1 : 0;
    case SO.MARK:
      return mark;
    case SO.PRIORITY:
      return priority;
    case SO.SNDBUF:
      return sendLimitBytes;
    case SO.RCVBUF:
      return receiveLimitBytes;
    case SO.RCVLOWAT:
      return receiveLowBytes;
    case SO.SNDLOWAT:
      return 1;
    case SO.PEEK_OFF:
      return peekOffsetBytes;
    case SO.BINDTOIFINDEX:
      return sock.ifindex;
    case SO.LOCK_FILTER:
      return (flags & SOCK_FLAG.FILTER_LOCKED) === 0 ? 0 : 1;
    case SO.TIMESTAMP:
    case SO.TIMESTAMP_NEW:
      return (ancillary & TOLD.TIMESTAMP) === 0 ? 0 : 1;
    case SO.TIMESTAMPNS:
    case SO.TIMESTAMPNS_NEW:
      return (ancillary & TOLD.TIMESTAMPNS) === 0 ? 0 : 1;
    case SO.BUF_LOCK:
      return bufferLocks;
    case SO.INCOMING_CPU:
      return incomingCpu;
    case SO.INCOMING_NAPI_ID:
    case SO.BSDCOMPAT:
      return 0;
    default:
      return null;
  }
}

/** `SK_MEMINFO_*`: received, its limit, sent, its limit, then what is not kept apart here, and packets that found no room. */
function memoryOf({ options, sendQueuedBytes, receiveQueuedBytes }: SockCommon): number[] {
  const limits = options ?? { receiveLimitBytes: SOCK_BUFFER_BYTES, sendLimitBytes: SOCK_BUFFER_BYTES, overflows: 0 };
  return [receiveQueuedBytes, limits.receiveLimitBytes, sendQueuedBytes, limits.sendLimitBytes, 0, 0, 0, 0, limits.overflows];
}

function putTimeout(value: Uint8Array, waitUs: number): number {
  const seconds = Math.floor(waitUs / 1e6);
  return putInts(value, seconds | 0, Math.floor(seconds / 2 ** 32), waitUs % 1e6, 0);
}

function isStream(type: number): boolean {
  return type === SOCK_TYPE.STREAM || type === SOCK_TYPE.SEQPACKET || type === SOCK_TYPE.DCCP;
}
