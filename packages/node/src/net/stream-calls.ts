import { clearControl, ERRNO, SO, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';

/** As Node's: probes a second apart, of which ten may go unanswered. */
const KEEPALIVE_INTERVAL_S = 1;
const KEEPALIVE_PROBES = 10;

/** What is there, at most 64 KiB; empty at the end; or -errno. */
export function readSome(host: NodeHost, endpoint: Endpoint): Buffer | number {
  const { message, room } = host;
  message.data = room;
  message.more = null;
  message.flags = 0;
  clearControl(message);
  const lenBytes = endpoint.calls.receive(endpoint.sock, message);
  return lenBytes < 0 ? lenBytes : Buffer.from(room.subarray(0, lenBytes));
}

/** As much as is taken. @returns what is left, with -EAGAIN: there is no room; or another errno. */
export function writeSome(
  { message }: NodeHost,
  endpoint: Endpoint,
  parts: readonly Uint8Array[],
): { result: number; left: readonly Uint8Array[] } {
  let left = parts;
  while (left.length > 0) {
    message.data = left[0]!;
    message.more = left.length > 1 ? left.slice(1) : null;
    message.flags = 0;
    message.control = null;
    message.hasAddress = false;
    const result = endpoint.isOpen ? endpoint.calls.send(endpoint.sock, message) : -ERRNO.EPIPE;
    message.data = null;
    message.more = null;
    if (result < 0) return { result, left };
    left = without(left, result);
  }
  return { result: 0, left };
}

/** Without the first so many bytes, and without empty parts. */
function without(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let rest = count;
  const left: Uint8Array[] = [];
  for (const part of parts) {
    const taken = Math.min(rest, part.byteLength);
    rest -= taken;
    if (taken < part.byteLength) left.push(part.subarray(taken));
  }
  return left;
}

export function setNoDelay(endpoint: Endpoint, wanted: boolean): void {
  endpoint.setInt(SOL.TCP, TCP_SOCKET_OPTION.NODELAY, Number(wanted));
}

/** @param delayMs until the first probe; less than a second: probes are as the kernel's settings say. */
export function setKeepAlive(endpoint: Endpoint, wanted: boolean, delayMs: number): void {
  endpoint.setInt(SOL.SOCKET, SO.KEEPALIVE, Number(wanted));
  if (!wanted || delayMs < 1000) return;
  endpoint.setInt(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE, Math.floor(delayMs / 1000));
  endpoint.setInt(SOL.TCP, TCP_SOCKET_OPTION.KEEPINTVL, KEEPALIVE_INTERVAL_S);
  endpoint.setInt(SOL.TCP, TCP_SOCKET_OPTION.KEEPCNT, KEEPALIVE_PROBES);
}
