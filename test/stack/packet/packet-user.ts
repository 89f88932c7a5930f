import type { ControlMessage, NetDevice, Notice, Owner, SockCommon, SocketCalls } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  clearControl,
  ETHERTYPE,
  MESSAGE_FLAG,
  Message,
  POLL,
  SOCK_TYPE,
  SOL,
  SockAddress,
  Sockets,
} from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';

/** What came: its bytes, and what its address says. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly ifindex: number;
  readonly ethertype: number;
  readonly packetType: number;
  /** Of its sender: as many bytes as it says. */
  readonly from: readonly number[];
  readonly truncated: boolean;
}

/** A `sockaddr_ll`. */
export function linkAddress(ifindex: number, ethertype: number, mac: readonly number[] = []): SockAddress {
  const address = new SockAddress();
  address.family = ADDRESS_FAMILY.PACKET;
  address.ifindex = ifindex;
  address.port = ethertype;
  address.address0 = mac.length;
  const byte = (i: number): number => mac[i] ?? 0;
  address.address1 = (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3);
  address.address2 = (byte(4) << 24) | (byte(5) << 16);
  return address;
}

/** An Ethernet frame. */
export function frame(
  to: readonly number[] | Uint8Array,
  from: readonly number[] | Uint8Array,
  ethertype: number,
  payload: readonly number[],
) {
  return Uint8Array.of(...to, ...from, ethertype >>> 8, ethertype & 0xff, ...payload);
}

/** A program with a packet socket. */
export class PacketUser implements Owner {
  readonly name: string;
  readonly sock: SockCommon;
  readonly calls: SocketCalls;
  readonly notices: string[] = [];
  readonly message = new Message();
  readonly room = new Uint8Array(70_000);
  woken = 0;

  constructor(kernel: Kernel, type: number = SOCK_TYPE.RAW, ethertype: number = ETHERTYPE.ALL, name = 'looker') {
    this.name = name;
    this.sock = kernel.port(Sockets).current.open(ADDRESS_FAMILY.PACKET, type, ethertype, this);
    this.calls = this.sock.ops.calls!;
    this.sock.wake = () => {
      this.woken++;
    };
  }

  notice({ sort }: Notice): void {
    this.notices.push(sort);
  }

  bind(device: NetDevice | null, ethertype = 0): number {
    return this.calls.bind(this.sock, linkAddress(device === null ? 0 : device.ifindex, ethertype));
  }

  send(bytes: Uint8Array, to: SockAddress | null = null, flags = 0, control: ControlMessage | null = null): number {
    const { message } = this;
    message.flags = flags;
    message.control = control;
    message.data = bytes;
    message.more = null;
    message.hasAddress = to !== null;
    if (to !== null) message.address = to;
    return this.calls.send(this.sock, message);
  }

  /** What came, or -errno. */
  receive(flags = 0, room = this.room): Seen | number {
    const { message } = this;
    message.flags = flags;
    message.data = room;
    message.more = null;
    const count = this.calls.receive(this.sock, message);
    if (count < 0) return count;
    const { address0, address1, address2, ifindex, port } = message.address;
    const mac = [24, 16, 8, 0].map((by) => (address1 >>> by) & 0xff).concat([24, 16].map((by) => (address2 >>> by) & 0xff));
    return {
      ...{ bytes: room.slice(0, Math.min(count, room.length)), ifindex, ethertype: port },
      ...{ packetType: (address0 >>> 8) & 0xff, from: mac.slice(0, address0 & 0xff) },
      truncated: (message.flags & MESSAGE_FLAG.TRUNC) !== 0,
    };
  }

  /** All that waits. */
  all(): Seen[] {
    const seen: Seen[] = [];
    while ((this.calls.poll(this.sock) & POLL.IN) !== 0) {
      const one = this.receive();
      if (typeof one === 'number') break;
      seen.push(one);
    }
    return seen;
  }

  /** SOL_PACKET's, or another level's. */
  set(name: number, value: Uint8Array | number, level: number = SOL.PACKET): number {
    return this.calls.setOption(this.sock, level, name, typeof value === 'number' ? int(value) : value);
  }

  get(name: number, level: number = SOL.PACKET, lenBytes = 8): number[] | number {
    const value = new Uint8Array(lenBytes);
    const count = this.calls.getOption(this.sock, level, name, value);
    return count < 0 ? count : [...value.subarray(0, count)];
  }

  close(): void {
    clearControl(this.message);
    this.calls.close(this.sock);
  }
}

export function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
