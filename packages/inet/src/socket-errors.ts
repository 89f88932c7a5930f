import type { ErrorReport, Message, Skb, SockCommon } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  ERROR_ORIGIN,
  IP_OPTION,
  IPV4_WORD2,
  IPV6_OPTION,
  MESSAGE_FLAG,
  POLL,
  putControl,
  SOCK_BUFFER_BYTES,
  SOCK_FLAG,
  SOL,
  SockOptions,
} from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { ipv4Dst, ipv6Dst } from '@softnet/wire';
import { putAddress, putInt, putPort } from './control-fields.ts';

/** What a report is charged for beside its payload: about what Linux's is. */
const REPORT_BYTES = 512;
/** `sock_extended_err`. */
const EXTENDED_BYTES = 16;
const IN_BYTES = 16;
const IN6_BYTES = 28;

/** A report that waits to be read by MSG_ERRQUEUE. Linux's `sock_exterr_skb`. */
export class QueuedError {
  /** As {@link ErrorReport} has it. */
  errno = 0;
  origin = 0;
  type = 0;
  code = 0;
  info = 0;
  /** `ee_data`: what the origin wants. */
  data = 0;
  /** To whom the packet went that it is about: four words, and a port in host order. */
  address0 = 0;
  address1 = 0;
  address2 = 0;
  address3 = 0;
  port = 0;
  /** Who says so: four words; zeros: this host itself. */
  offender0 = 0;
  offender1 = 0;
  offender2 = 0;
  offender3 = 0;
  /** Of the packet, behind its headers, as much as the report quotes; null: nothing. */
  payload: Uint8Array | null = null;
  /** What else is told of it, in the way of its maker (a time stamp): called with the message that takes it. */
  more: ((message: Message) => void) | null = null;
  next: QueuedError | null = null;
}

/** Reports in order: `SockOptions.errors`. They are charged to their socket as what it has received: SO_RCVBUF bounds both. */
class ErrorQueue {
  first: QueuedError | null = null;
  last: QueuedError | null = null;
}

/** What `poll` says of errors: POLL.ERR of one that the next call says, or that waits to be read by MSG_ERRQUEUE; with SO_SELECT_ERR_QUEUE, POLL.PRI of those. */
export function pollErrors(sock: SockCommon): number {
  const queue = queueOf(sock);
  if (queue !== null && queue.first !== null) return (sock.flags & SOCK_FLAG.SELECT_ERRORS) === 0 ? POLL.ERR : POLL.ERR | POLL.PRI;
  return sock.error === 0 ? 0 : POLL.ERR;
}

/** Queues a report. False: SO_RCVBUF is reached, and it is forgotten. `sock.wake` is its caller's matter. */
export function queueError(sock: SockCommon, error: QueuedError): boolean {
  const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.receiveLimitBytes;
  const bytes = chargeOf(error);
  if (sock.receiveQueuedBytes + bytes >= limitBytes) return false;
  sock.options ??= new SockOptions();
  sock.options.errors ??= new ErrorQueue();
  const queue = sock.options.errors as ErrorQueue;
  if (queue.last === null) queue.first = error;
  else queue.last.next = error;
  queue.last = error;
  sock.receiveQueuedBytes += bytes;
  return true;
}

/**
 * The oldest report, as recvmsg(2) has it with MSG_ERRQUEUE: what it quotes of the packet's payload as data, its destination as the address, `sock_extended_err` and
 * the offender in a control message of RECVERR. Bytes of payload, or -EAGAIN.
 */
export function takeError(sock: SockCommon, message: Message): number {
  const queue = queueOf(sock);
  const error = queue === null ? null : queue.first;
  if (queue === null || error === null) return -ERRNO.EAGAIN;
  queue.first = error.next;
  if (queue.first === null) queue.last = null;
  sock.receiveQueuedBytes -= chargeOf(error);
  // What waits still is what the next call is told (Linux's sock_dequeue_err_skb).
  if (queue.first !== null && isOfNetwork(queue.first)) sock.error = queue.first.errno;
  else if (isOfNetwork(error)) sock.error = 0;
  const { address } = message;
  address.family = sock.family;
  address.address0 = error.address0;
  address.address1 = error.address1;
  address.address2 = error.address2;
  address.address3 = error.address3;
  address.port = error.port;
  address.ifindex = 0;
  // Of a stamp Linux says no address.
  message.hasAddress = error.origin !== ERROR_ORIGIN.TRANSMIT_STATUS;
  const copiedBytes = scatter(message, error.payload);
  message.flags = MESSAGE_FLAG.ERRQUEUE | (copiedBytes < lengthOf(error) ? MESSAGE_FLAG.TRUNC : 0);
  error.more?.(message);
  tell(sock, message, error);
  return copiedBytes;
}

/** All are forgotten: RECVERR is turned off, or the socket is closed. */
export function purgeErrors(sock: SockCommon): void {
  const queue = queueOf(sock);
  if (queue === null) return;
  for (let error = queue.first; error !== null; error = error.next) sock.receiveQueuedBytes -= chargeOf(error);
  queue.first = null;
  queue.last = null;
}

/**
 * What a report says of a packet that a socket has sent: to be queued.
 * @param skb the packet quoted, `network` at its header. @param payloadAt where its payload begins, absolute. @param port it went to; 0: it has none.
 */
export function quotedError(skb: Skb, report: ErrorReport, payloadAt: number, port: number): QueuedError {
  const error = errorOf(report);
  const { network, memory } = skb;
  const { view } = memory;
  const isIpv4 = view.getUint8(network) >>> 4 === 4;
  error.address0 = isIpv4 ? 0 : ipv6Dst(view, network, 0);
  error.address1 = isIpv4 ? 0 : ipv6Dst(view, network, 1);
  error.address2 = isIpv4 ? IPV4_WORD2 : ipv6Dst(view, network, 2);
  error.address3 = isIpv4 ? ipv4Dst(view, network) : ipv6Dst(view, network, 3);
  error.port = port;
  error.payload = payloadOf(skb, payloadAt - skb.data);
  // A layer that tells its own socket of its ICMP, without a wire.
  if (error.origin === ERROR_ORIGIN.LOCAL && error.type !== 0) error.origin = isIpv4 ? ERROR_ORIGIN.ICMP : ERROR_ORIGIN.ICMPV6;
  return error;
}

/** The report's own, without an address. */
export function errorOf(report: ErrorReport): QueuedError {
  const error = new QueuedError();
  error.errno = report.errno;
  error.origin = report.origin;
  error.type = report.type;
  error.code = report.code;
  error.info = report.info;
  error.offender0 = report.offender0;
  error.offender1 = report.offender1;
  error.offender2 = report.offender2;
  error.offender3 = report.offender3;
  return error;
}

function queueOf({ options }: SockCommon): ErrorQueue | null {
  return options === null ? null : (options.errors as ErrorQueue | null);
}

function chargeOf(error: QueuedError): number {
  return REPORT_BYTES + lengthOf(error);
}

function isOfNetwork({ origin }: QueuedError): boolean {
  return origin === ERROR_ORIGIN.ICMP || origin === ERROR_ORIGIN.ICMPV6;
}

function lengthOf({ payload }: QueuedError): number {
  return payload === null ? 0 : payload.length;
}

function payloadOf(skb: Skb, offset: number): Uint8Array | null {
  const lenBytes = skb.len - offset;
  const reader = new SkbReader();
  if (offset < 0 || lenBytes <= 0 || !reader.open(skb, offset, lenBytes)) return null;
  const bytes = new Uint8Array(lenBytes);
  reader.copyTo(new DataView(bytes.buffer), 0, lenBytes);
  return bytes;
}

function scatter({ data, more }: Message, payload: Uint8Array | null): number {
  if (payload === null) return 0;
  let at = 0;
  for (const place of [data, ...(more ?? [])]) {
    if (place === null) continue;
    const part = payload.subarray(at, at + place.length);
    place.set(part);
    at += part.length;
  }
  return at;
}

/** `sock_extended_err`, and the offender as a sockaddr of the socket's family; without one, all zeros. */
function tell(sock: SockCommon, message: Message, error: QueuedError): void {
  const isIpv6 = sock.family === ADDRESS_FAMILY.INET6;
  const lenBytes = EXTENDED_BYTES + (isIpv6 ? IN6_BYTES : IN_BYTES);
  const bytes = putControl(message, isIpv6 ? SOL.IPV6 : SOL.IP, isIpv6 ? IPV6_OPTION.RECVERR : IP_OPTION.RECVERR, lenBytes);
  bytes.fill(0);
  putInt(bytes, 0, error.errno);
  bytes[4] = error.origin;
  bytes[5] = error.type;
  bytes[6] = error.code;
  putInt(bytes, 8, error.info);
  putInt(bytes, 12, error.data);
  const { offender0, offender1, offender2, offender3 } = error;
  if ((offender0 | offender1 | offender2 | offender3) === 0) return;
  bytes[EXTENDED_BYTES] = sock.family;
  putPort(bytes, EXTENDED_BYTES + 2, 0);
  putAddress(bytes, EXTENDED_BYTES + (isIpv6 ? 8 : 4), sock.family, offender0, offender1, offender2, offender3);
}
