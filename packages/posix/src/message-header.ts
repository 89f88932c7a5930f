import type { Message, SockAddress } from '@softnet/contract';
import { fillControl } from './control-data.ts';

/** `struct msghdr`. */
export interface MessageHeader {
  /** Where to, or filled with where from; null: not wanted. */
  name: SockAddress | null;
  /** What is sent, or where to put what comes, in order; at most 1024. */
  readonly iov: readonly Uint8Array[];
  /** Control messages as bytes (CMSG layout); null: none wanted. */
  control: Uint8Array | null;
  /** Received: bytes of `control` that were filled. */
  controlBytes?: number;
  /** Received: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE ... */
  flags?: number;
  /** Received: somebody sent it, whom `name` names. */
  hasName?: boolean;
}

/** UIO_MAXIOV: places of one message, and messages of one call. */
export const MAX_IOV = 1024;

const NOTHING = Object.freeze({ lenBytes: 0, flags: 0 });

export function bytesOf(iov: readonly Uint8Array[]): number {
  let sum = 0;
  for (const { length } of iov) sum += length;
  return sum;
}

/** What is left of places when so many bytes are taken. */
export function behind(iov: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  if (count === 0) return iov;
  let left = count;
  const rest: Uint8Array[] = [];
  for (const place of iov) {
    if (left < place.length) rest.push(place.subarray(left));
    left = Math.max(0, left - place.length);
  }
  return rest;
}

/** What a receive call says beside its bytes. */
export function fillFrom(message: Message, from: SockAddress | null, header: MessageHeader | null): void {
  if (from !== null) {
    if (message.hasAddress) copyAddress(message.address, from);
    else from.family = 0;
  }
  if (header === null) return;
  const given = header.control === null ? NOTHING : fillControl(message.control, header.control);
  header.controlBytes = given.lenBytes;
  header.hasName = message.hasAddress;
  header.flags = message.flags | given.flags;
}

export function copyAddress(from: SockAddress, to: SockAddress): void {
  to.family = from.family;
  to.address0 = from.address0;
  to.address1 = from.address1;
  to.address2 = from.address2;
  to.address3 = from.address3;
  to.port = from.port;
  to.ifindex = from.ifindex;
}
