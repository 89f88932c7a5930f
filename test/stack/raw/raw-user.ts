import type { Owner, SockCommon, SocketCalls } from '@softnet/contract';
import { MESSAGE_FLAG, Message, SOCK_TYPE, Sockets } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { address, textOf } from '../udp/host.ts';

/** A program with a raw socket, or a ping socket. */
export class RawUser implements Owner {
  readonly name: string;
  readonly sock: SockCommon;
  readonly calls: SocketCalls;
  readonly message = new Message();
  readonly room = new Uint8Array(70_000);
  woken = 0;

  /** @param type SOCK_TYPE.DGRAM: of a ping socket. */
  constructor(kernel: Kernel, family: number, protocol: number, name = 'raw', type: number = SOCK_TYPE.RAW) {
    this.name = name;
    this.sock = kernel.port(Sockets).current.open(family, type, protocol, this);
    this.calls = this.sock.ops.calls!;
    this.sock.wake = () => {
      this.woken++;
    };
  }

  bind(text: string): number {
    return this.calls.bind(this.sock, address(text, this.sock.family));
  }

  connect(text: string): number {
    return this.calls.connect(this.sock, address(text, this.sock.family));
  }

  send(data: Uint8Array | readonly number[], to?: string, flags = 0): number {
    const { message } = this;
    message.flags = flags;
    message.data = Uint8Array.from(data);
    message.more = null;
    message.control = null;
    message.hasAddress = to !== undefined;
    if (to !== undefined) message.address = address(to, this.sock.family);
    return this.calls.send(this.sock, message);
  }

  /** What came, and from whom; or -errno. */
  receive(flags = 0): { readonly bytes: number[]; readonly from: string } | number {
    const { message, room } = this;
    message.flags = flags;
    message.data = room;
    message.more = null;
    const count = this.calls.receive(this.sock, message);
    return count < 0 ? count : { bytes: [...room.subarray(0, count)], from: message.hasAddress ? textOf(message.address) : '' };
  }

  /** The bytes of all that waits. Who has shut it is told of its end by nothing, from nobody. */
  all(): number[][] {
    const seen: number[][] = [];
    for (let one = this.receive(); typeof one !== 'number' && one.from !== ''; one = this.receive()) seen.push(one.bytes);
    return seen;
  }

  set(level: number, name: number, value: number | readonly number[]): number {
    return this.calls.setOption(this.sock, level, name, typeof value === 'number' ? int(value) : Uint8Array.from(value));
  }

  get(level: number, name: number, lenBytes = 4): number[] | number {
    const value = new Uint8Array(lenBytes);
    const count = this.calls.getOption(this.sock, level, name, value);
    return count < 0 ? count : [...value.subarray(0, count)];
  }

  /** The packet itself, which is released. */
  take(): number {
    const { message } = this;
    message.flags = MESSAGE_FLAG.SKB;
    const count = this.calls.receive(this.sock, message);
    message.skb?.memory.pool.release(message.skb);
    message.skb = null;
    return count;
  }

  close(): void {
    this.calls.close(this.sock);
  }
}

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
