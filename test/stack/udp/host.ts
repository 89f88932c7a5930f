import type { Notice, Owner, SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, MESSAGE_FLAG, MemoryAccounts, Message, SOCK_TYPE, SockAddress, Sockets } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { UdpModule } from '@softnet/udp';
import { formatAddress, parseAddress } from '@softnet/wire';
import { StubControl, stubLayer, stubRoute } from './stub-net.ts';

const { INET, INET6, UNSPEC } = ADDRESS_FAMILY;

/** '10.0.0.1:7', '[::1]:7', ':7' of a family; a zone is an interface's number: '[fe80::1%1]:7'. */
export function address(text: string, family: number = INET): SockAddress {
  const made = new SockAddress();
  const at = text.lastIndexOf(':');
  const [host = '', zone = '0'] = text.slice(0, at).replace(/[[\]]/g, '').split('%');
  const parsed = host === '' ? null : parseAddress(host);
  made.family = parsed?.family ?? family;
  [made.address0, made.address1, made.address2, made.address3] = parsed?.words ?? [0, 0, 0, 0];
  made.port = Number(text.slice(at + 1));
  made.ifindex = Number(zone);
  return made;
}

export const nobody = Object.assign(new SockAddress(), { family: UNSPEC });

export function textOf({ family, address0, address1, address2, address3, port }: SockAddress): string {
  const host = formatAddress(family, address0, address1, address2, address3);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A socket, as a program would use it. */
export class User implements Owner {
  readonly name: string;
  readonly sock: SockCommon;
  readonly calls: SocketCalls;
  readonly notices: string[] = [];
  readonly message = new Message();
  readonly room = new Uint8Array(65536);
  woken = 0;

  constructor(kernel: Kernel, family: number = INET, name = 'user') {
    this.name = name;
    this.sock = kernel.port(Sockets).current.open(family, SOCK_TYPE.DGRAM, 0, this);
    this.calls = this.sock.ops.calls!;
    this.sock.wake = () => {
      this.woken++;
    };
  }
  notice({ sort, module }: Notice): void {
    this.notices.push(`${sort} ${module}`);
  }
  bind(text: string): number {
    return this.calls.bind(this.sock, address(text, this.sock.family));
  }
  connect(text: string): number {
    return this.calls.connect(this.sock, address(text, this.sock.family));
  }
  send(data: Uint8Array, to?: string): number {
    const { message } = this;
    message.flags = 0;
    message.data = data;
    message.more = null;
    message.hasAddress = to !== undefined;
    if (to !== undefined) message.address = address(to, this.sock.family);
    return this.calls.send(this.sock, message);
  }
  /** What came, or the negative errno. */
  receive(flags = 0, room = this.room): { bytes: number[]; from: string; flags: number } | number {
    const { message } = this;
    message.flags = flags;
    message.data = room;
    message.more = null;
    const count = this.calls.receive(this.sock, message);
    if (count < 0) return count;
    const bytes = [...room.subarray(0, Math.min(count, room.length))];
    return { bytes, from: message.hasAddress ? textOf(message.address) : '', flags: message.flags & MESSAGE_FLAG.TRUNC };
  }
  option(level: number, name: number, value: number): number {
    return this.calls.setOption(this.sock, level, name, int(value));
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

/** A kernel with sockets and UDP over stubs. */
export async function udpHost({ families = [INET, INET6] }: { families?: readonly number[] } = {}) {
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'k' });
  const control = new StubControl();
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  for (const module of [SkbModule, SocketModule, stubRoute(control)]) await run(kernel.load(module));
  for (const family of families) await run(kernel.load(stubLayer(family, control)));
  await run(kernel.load(UdpModule));
  return {
    ...{ world, kernel, control, run },
    /** What is on the way arrives. */
    settle: () => world.advance(10),
    user: (family: number = INET, name?: string) => new User(kernel, family, name),
    counter: (name: string) => kernel.counters().find((each) => each.name === name)?.value ?? 0,
    drops: () =>
      Object.fromEntries(
        kernel
          .dropReasons()
          .filter(({ count }) => count > 0)
          .map(({ name, count }) => [name, count]),
      ),
    /** Unloads all, which must leave nothing behind. */
    end: async () => {
      const charged = accountsOf(kernel);
      const { faults, leaks } = await run(kernel.shutdown());
      return { modules: kernel.modules().length, faults: faults.map(({ message }) => message), leaks, charged: charged() };
    },
  };
}

/** Asked while skb is there: which accounts have anything, whenever that is asked. */
export function accountsOf(kernel: Kernel): () => string[] {
  const accounts = kernel.port(MemoryAccounts).current.all();
  return () => accounts.filter(({ bytes }) => bytes !== 0).map(({ name, bytes }) => `${name}: ${bytes}`);
}

/** What a proper end says. */
export const CLEAN = { modules: 0, faults: [], leaks: [], charged: [] };
