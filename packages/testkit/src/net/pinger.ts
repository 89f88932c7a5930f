import { ADDRESS_FAMILY, IP_PROTOCOL, NetError } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { ICMP_HEADER_BYTES, parseAddress } from '@softnet/wire';
import type { Datagram } from './datagram-user.ts';
import { DatagramUser } from './datagram-user.ts';
import type { HeardError } from './hear-errors.ts';
import { hearErrors } from './hear-errors.ts';
import { KernelTime } from './kernel-time.ts';

/** An answered echo request. */
export interface Pong {
  readonly address: string;
  readonly lenBytes: number;
  readonly rttUs: number;
}

/** How to ping. */
export interface PingOptions {
  /** Bytes behind the ICMP header. Default 56. */
  readonly lenBytes?: number;
  /** Default 1,000. */
  readonly timeoutMs?: number;
  /** Scope of a link-local address. */
  readonly ifindex?: number;
}

/** How all requests of a {@link Pinger} are sent. */
export interface PingerOptions {
  readonly name?: string;
  /** TTL, or hop limit. Default: the layer's. */
  readonly ttl?: number;
  /** Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: 2, requests are not cut. Default: the layer's. */
  readonly mtuDiscover?: number;
  /** Type of service, or traffic class. */
  readonly tos?: number;
  /** SO_MARK: for rules that ask for it. */
  readonly mark?: number;
  /** The requests' source. Default: as the route says. @throws NetError EADDRNOTAVAIL */
  readonly from?: string;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
}

/** Options of sockets, by Linux's numbers. */
const OPTIONS = Object.freeze({
  [ADDRESS_FAMILY.INET]: Object.freeze({ level: 0, recvErr: 11, ttl: 2, mtuDiscover: 10, tos: 1 }),
  [ADDRESS_FAMILY.INET6]: Object.freeze({ level: 41, recvErr: 25, ttl: 16, mtuDiscover: 23, tos: 67 }),
});

/** Types of echo request and reply (RFC 792; RFC 4443 §4). */
const ECHO = { [ADDRESS_FAMILY.INET]: { request: 8, reply: 0 }, [ADDRESS_FAMILY.INET6]: { request: 128, reply: 129 } } as const;

/** Sends echo requests from a ping socket, one after the other. */
export class Pinger {
  readonly #kernel: Kernel;
  readonly #user: DatagramUser;
  readonly #family: typeof ADDRESS_FAMILY.INET | typeof ADDRESS_FAMILY.INET6;
  /** The last error that was heard of a request, and who says so; null: none since the last request. */
  heard: HeardError | null = null;
  #sequence = 0;
  #waiting: { sequence: number; resolve: (datagram: Datagram) => void; reject: (error: unknown) => void } | null = null;

  /** @throws NetError as `Sockets.open` does; EINVAL, ENOPROTOOPT for an option. */
  constructor(kernel: Kernel, family: number, { name = 'ping', mark, from, device, ...wishes }: PingerOptions = {}) {
    this.#kernel = kernel;
    this.#family = family === ADDRESS_FAMILY.INET ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
    const protocol = this.#family === ADDRESS_FAMILY.INET ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6;
    const more = { ...(mark === undefined ? {} : { mark }), ...(device === undefined ? {} : { device }) };
    this.#user = new DatagramUser(kernel, { name, family: this.#family, protocol, ...more });
    hearErrors(this.#user.sock, (error) => {
      this.heard = error;
    });
    // Of a neighbour that does not answer, and of errors on the way, it wants to hear.
    this.#set('recvErr', 1);
    try {
      if (from !== undefined) this.#user.bind(from, 0);
      for (const option of ['ttl', 'mtuDiscover', 'tos'] as const) if (wishes[option] !== undefined) this.#set(option, wishes[option]);
    } catch (error) {
      this.#user.close();
      throw error;
    }
    void this.#listen();
  }

  #set(option: keyof PingerOptions | 'recvErr', value: number): void {
    const options = OPTIONS[this.#family] as Readonly<Record<string, number>>;
    this.#user.setOption(options.level!, options[option]!, value);
  }

  /** One at a time. Rejects with ETIMEDOUT, EHOSTUNREACH ... */
  async ping(address: string, { lenBytes = 56, timeoutMs = 1000, ifindex = 0 }: PingOptions = {}): Promise<Pong> {
    const time = this.#kernel.port(KernelTime).current;
    const sequence = ++this.#sequence & 0xffff;
    const request = new Uint8Array(ICMP_HEADER_BYTES + lenBytes).map((_, i) => (i < ICMP_HEADER_BYTES ? 0 : i & 0xff));
    request[0] = ECHO[this.#family].request;
    new DataView(request.buffer).setUint16(6, sequence);
    const sentUs = time.nowUs;
    this.heard = null;
    const answer = new Promise<Datagram>((resolve, reject) => {
      this.#waiting = { sequence, resolve, reject };
    });
    const late = new NetError('ETIMEDOUT', `${address} did not answer within ${timeoutMs} ms`, { syscall: 'ping' });
    const callOff = time.after(timeoutMs * 1000, () => this.#waiting?.reject(late));
    try {
      const reply = await Promise.race([answer, this.#user.send(request, address, 0, ifindex).then(() => answer)]);
      if (!isSamePayload(reply.data, request)) throw new NetError('EIO', `${reply.address} answered other bytes`, { syscall: 'ping' });
      return { address: reply.address, lenBytes: reply.data.length - ICMP_HEADER_BYTES, rttUs: time.nowUs - sentUs };
    } finally {
      this.#waiting = null;
      callOff();
    }
  }

  /** The module of its socket said that it leaves. */
  get leaving(): boolean {
    return this.#user.leaving;
  }

  /** Why its socket is over, other than by `close`; null: it is not. */
  get ended(): NetError | null {
    return this.#user.ended;
  }

  close(): void {
    this.#user.close();
  }

  /** Hands what comes to who waits for it, until the socket is closed. */
  async #listen(): Promise<void> {
    while (this.#user.ended === null) {
      try {
        const datagram = await this.#user.receive();
        const { data } = datagram;
        if (data[0] !== ECHO[this.#family].reply) continue;
        const sequence = new DataView(data.buffer, data.byteOffset).getUint16(6);
        if (sequence === this.#waiting?.sequence) this.#waiting.resolve(datagram);
      } catch (error) {
        this.#waiting?.reject(error);
      }
    }
  }
}

function isSamePayload(reply: Uint8Array, request: Uint8Array): boolean {
  return reply.length === request.length && reply.every((byte, i) => i < ICMP_HEADER_BYTES || byte === request[i]);
}

/** Pings once. */
export async function ping(kernel: Kernel, address: string, options: PingOptions = {}): Promise<Pong> {
  const family = parseAddress(address)?.family;
  if (family === undefined) throw new NetError('EINVAL', `'${address}' is no address: write 192.0.2.1 or 2001:db8::1`);
  const pinger = new Pinger(kernel, family);
  try {
    return await pinger.ping(address, options);
  } finally {
    pinger.close();
  }
}
