import type { SockAddress } from '@softnet/contract';
import { ERRNO, SockAddress as SockAddressClass } from '@softnet/contract';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';

/** A datagram that waits for room. */
interface Waiting {
  readonly parts: readonly Uint8Array[];
  readonly lenBytes: number;
  readonly to: SockAddress | null;
  readonly done: (result: number) => void;
}

/** The most that one socket has waiting. */
const LIMIT_BYTES = 16 << 20;

/** Datagrams in the order in which they were sent; those for which the socket has no room wait. */
export class SendQueue {
  readonly #host: NodeHost;
  readonly #endpoint: Endpoint;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(host: NodeHost, endpoint: Endpoint) {
    this.#host = host;
    this.#endpoint = endpoint;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** @param to kept while it waits. @param done called once, here or later, with the bytes, or -errno. */
  send(parts: readonly Uint8Array[], to: SockAddress | null, done: (result: number) => void): void {
    const lenBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const result = this.#waiting.length > 0 ? -ERRNO.EAGAIN : this.#try(parts, to);
    if (result !== -ERRNO.EAGAIN) done(result);
    else if (this.#bytes + lenBytes > LIMIT_BYTES) done(-ERRNO.ENOBUFS);
    else {
      this.#waiting.push({ parts, lenBytes, to, done });
      this.#bytes += lenBytes;
    }
  }

  /** There may be room again. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#endpoint.isOpen) {
      const { parts, lenBytes, to, done } = this.#waiting[0]!;
      const result = this.#try(parts, to);
      if (result === -ERRNO.EAGAIN) return;
      this.#waiting.shift();
      this.#bytes -= lenBytes;
      done(result);
    }
  }

  /** What waits is not sent any more. */
  cancel(): void {
    const cancelled = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const { done } of cancelled) done(-ERRNO.ECANCELED);
  }

  #try(parts: readonly Uint8Array[], to: SockAddress | null): number {
    const { message } = this.#host;
    message.data = parts[0] ?? new Uint8Array(0);
    message.more = parts.length > 1 ? parts.slice(1) : null;
    message.flags = 0;
    message.control = null;
    message.hasAddress = to !== null;
    if (to !== null) message.address = to;
    const result = this.#endpoint.calls.send(this.#endpoint.sock, message);
    // What it was told of belongs to others.
    message.address = new SockAddressClass();
    message.data = null;
    message.more = null;
    return result;
  }
}
