import { ADDRESS_FAMILY, ERRNO, ERROR_ORIGIN, IP_PROTOCOL, NetError } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { DatagramUser } from './datagram-user.ts';
import { errnoError } from './errno-error.ts';
import type { HeardError } from './hear-errors.ts';
import { hearErrors } from './hear-errors.ts';
import { KernelTime } from './kernel-time.ts';

/** Ports that nobody has, of traceroute since ever. */
const FIRST_PORT = 33_434;
const ICMP_HEADER_BYTES = 8;

/** What came back for a probe. */
export interface TraceAnswer {
  readonly address: string;
  readonly rttUs: number;
  /** Null: the target itself has answered. */
  readonly error: HeardError | null;
}

/** How to trace. */
export interface TracerOptions {
  /** `ADDRESS_FAMILY.INET` or `INET6`. */
  readonly family: number;
  /** Echo requests, in the place of datagrams to ports that nobody has. */
  readonly echo?: boolean;
  /** Bytes behind the UDP or ICMP header. Default 32. */
  readonly lenBytes?: number;
}

/** Sends packets that live for so many hops, and hears who says that they have died (RFC 1393 §1; Van Jacobson's traceroute). */
export class Tracer {
  readonly #kernel: Kernel;
  readonly #user: DatagramUser;
  readonly #options: TracerOptions;
  #probes = 0;
  #waiting: { probe: number; resolve: (answer: TraceAnswer) => void; sentUs: number } | null = null;

  /** @throws NetError as `Sockets.open` does. */
  constructor(kernel: Kernel, options: TracerOptions) {
    this.#kernel = kernel;
    this.#options = options;
    const { family, echo = false } = options;
    const protocol = family === ADDRESS_FAMILY.INET ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6;
    this.#user = new DatagramUser(kernel, { name: 'traceroute', family, ...(echo ? { protocol } : {}) });
    hearErrors(this.#user.sock, (error) => this.#heard(error));
    if (echo) void this.#listen();
  }

  /** One at a time. Null: nobody has answered in time. Rejects where nothing can be sent. */
  async probe(address: string, hops: number, timeoutMs: number, ifindex = 0): Promise<TraceAnswer | null> {
    const time = this.#kernel.port(KernelTime).current;
    const probe = this.#probes++ & 0x7fff;
    this.#live(hops);
    const answer = new Promise<TraceAnswer | null>((resolve) => {
      this.#waiting = { probe, resolve, sentUs: time.nowUs };
      time.after(timeoutMs * 1000, () => resolve(null));
    });
    const { lenBytes = 32 } = this.#options;
    const data = new Uint8Array((this.#isEcho ? ICMP_HEADER_BYTES : 0) + lenBytes);
    if (this.#isEcho) {
      data[0] = this.#options.family === ADDRESS_FAMILY.INET ? 8 : 128;
      new DataView(data.buffer).setUint16(6, probe);
    }
    const result = this.#user.trySend(data, address, this.#isEcho ? 0 : FIRST_PORT + probe, ifindex);
    // What a router said of the probe before may be told at this one.
    if (result < 0 && result !== -ERRNO.EHOSTUNREACH) throw errnoError(result, 'traceroute', `to ${address}`);
    return await answer;
  }

  close(): void {
    this.#user.close();
  }

  get #isEcho(): boolean {
    return this.#options.echo ?? false;
  }

  /** IP_TTL, IPV6_UNICAST_HOPS. */
  #live(hops: number): void {
    const [level, option] = this.#options.family === ADDRESS_FAMILY.INET ? [0, 2] : [41, 16];
    const { sock } = this.#user;
    const result = sock.ops.calls!.setOption(sock, level, option, Uint8Array.of(hops, 0, 0, 0));
    if (result < 0) throw new NetError('EINVAL', `a packet lives for 1 to 255 hops, got ${hops}`);
  }

  /** The packet quoted says which probe it was: by its destination port, or by its sequence number. */
  #heard(error: HeardError): void {
    const { packet, offender, origin } = error;
    if (packet === null || packet.length < 8 || (origin === ERROR_ORIGIN.LOCAL && error.errno === ERRNO.EMSGSIZE)) return;
    const view = new DataView(packet.buffer, packet.byteOffset);
    this.#answer(this.#isEcho ? view.getUint16(6) : view.getUint16(2) - FIRST_PORT, offender, error);
  }

  #answer(probe: number, address: string, error: HeardError | null): void {
    if (this.#waiting?.probe !== probe) return;
    const { resolve, sentUs } = this.#waiting;
    this.#waiting = null;
    resolve({ address, rttUs: this.#kernel.port(KernelTime).current.nowUs - sentUs, error });
  }

  async #listen(): Promise<void> {
    while (this.#user.ended === null) {
      try {
        const { data, address } = await this.#user.receive();
        if (data.length >= ICMP_HEADER_BYTES) this.#answer(new DataView(data.buffer, data.byteOffset).getUint16(6), address, null);
      } catch {
        // What routers say is heard elsewhere; once the socket is over, the loop is.
      }
    }
  }
}
