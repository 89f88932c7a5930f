import type { SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ControlMessage, ERRNO, Message, SOCK_TYPE, Sockets, SockOptions } from '@softnet/contract';
import { SOL_UDP, UDP_OPTION } from '@softnet/udp';
import { parseAddress } from '@softnet/wire';
import type { BurstHost } from './burst-host.ts';

/** What one call of `receive` gave. */
export interface Taken {
  readonly data: Uint8Array;
  /** Bytes of each datagram in it, as its control message says; 0: it is one. */
  readonly size: number;
  readonly from: string;
}

/** A UDP socket of the host, in numbers as the system calls have them. */
export class BurstSocket {
  readonly sock: SockCommon;
  readonly calls: SocketCalls;
  readonly message = new Message();
  readonly #place = new Uint8Array(65_536);

  constructor(host: BurstHost) {
    this.sock = host.kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET6, SOCK_TYPE.DGRAM, 0, host.host);
    this.calls = this.sock.ops.calls!;
  }

  /** To any address of the host. */
  bind(port: number): this {
    const { address } = Object.assign(this.message, { hasAddress: false });
    Object.assign(address, { family: ADDRESS_FAMILY.INET6, address0: 0, address1: 0, address2: 0, address3: 0, port });
    if (this.calls.bind(this.sock, address) < 0) throw new Error('not bound');
    return this;
  }

  /** Has room for all that comes: how much memory a datagram takes depends on how it came. */
  takeMuch(): this {
    this.sock.options ??= new SockOptions();
    this.sock.options.receiveLimitBytes = 1 << 28;
    return this;
  }

  connect(to: string, port: number): this {
    const { words } = parseAddress(to)!;
    const [address0, address1, address2, address3] = words;
    Object.assign(this.message.address, { family: ADDRESS_FAMILY.INET6, address0, address1, address2, address3, port });
    const result = this.calls.connect(this.sock, this.message.address);
    if (result < 0) throw new Error(`not connected: ${result}`);
    return this;
  }

  set(name: number, value: number): number {
    return this.calls.setOption(this.sock, SOL_UDP, name, intOf(value));
  }

  get(name: number): number {
    const value = new Uint8Array(4);
    const result = this.calls.getOption(this.sock, SOL_UDP, name, value);
    return result < 0 ? result : new DataView(value.buffer).getInt32(0, true);
  }

  /** @param control bytes of a UDP_SEGMENT control message; null: none. */
  send(data: Uint8Array, control: Uint8Array | null = null): number {
    const { message } = this;
    message.data = data;
    message.flags = 0;
    message.hasAddress = false;
    message.control = control === null ? null : new ControlMessage(SOL_UDP, UDP_OPTION.SEGMENT, control);
    return this.calls.send(this.sock, message);
  }

  /** All that has come. */
  takeAll(): Taken[] {
    const all: Taken[] = [];
    const { message } = this;
    for (;;) {
      message.data = this.#place;
      message.flags = 0;
      const lenBytes = this.calls.receive(this.sock, message);
      if (lenBytes === -ERRNO.EAGAIN) return all;
      if (lenBytes < 0) throw new Error(`receive: ${lenBytes}`);
      const { address0, address1, address2, address3, port } = message.address;
      const size = message.control === null ? 0 : new DataView(message.control.data.buffer).getInt32(0, true);
      all.push({ data: this.#place.slice(0, lenBytes), size, from: [address0, address1, address2, address3, port].join() });
    }
  }

  close(): void {
    this.calls.close(this.sock);
  }
}

/** The datagrams that were sent, whether they were taken one by one or merged. */
export function datagramsOf({ data, size }: Taken): Uint8Array[] {
  if (size === 0) return [data];
  return Array.from({ length: Math.ceil(data.length / size) }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

function intOf(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
