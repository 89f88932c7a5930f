import type { SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, FlowKey, SOCK_FLAG, SOCK_TYPE, SockCommon, SocketDemux, SocketPorts } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { SocketModule } from '@softnet/socket';

const ops = { name: 'bench', type: SOCK_TYPE.STREAM } as SockOps;
const PREFIX = 0xffff;
const HERE = 0x0a000001;
const FIRST_PEER = 0x0b000000;
const PROTOCOL = 6;
/** Connections of one peer. */
const PEER_FLOWS = 1000;

/** How sockets stand in the tables. */
export type Kind = 'connected' | 'shared';

/** A kernel with nothing but the socket module. */
export async function socketKernel(): Promise<Kernel> {
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'bench' });
  await world.run(kernel.load(SocketModule));
  return kernel;
}

function connectionOf(i: number): SockCommon {
  return Object.assign(new SockCommon(ops), {
    ...{ family: ADDRESS_FAMILY.INET, protocol: PROTOCOL, localPort: 80, local2: PREFIX, local3: HERE },
    ...{ remote2: PREFIX, remote3: FIRST_PEER + Math.floor(i / PEER_FLOWS), remotePort: 1024 + (i % PEER_FLOWS) },
  });
}

/** A listener and so many connections to it, or a REUSEPORT group of so many. */
export function fill(kernel: Kernel, kind: Kind, count: number): SockCommon[] {
  const demux = kernel.port(SocketDemux).current;
  const local = { family: ADDRESS_FAMILY.INET, protocol: PROTOCOL, localPort: 80 };
  const listener = Object.assign(new SockCommon(ops), local);
  const socks: SockCommon[] = [listener];
  demux.insert(listener);
  for (let i = 0; i < count; i++) {
    const sock =
      kind === 'connected' ? connectionOf(i) : Object.assign(new SockCommon(ops), local, { localPort: 81, flags: SOCK_FLAG.REUSEPORT });
    demux.insert(sock);
    socks.push(sock);
  }
  return socks;
}

/** Looks flows up, one after the other, in an order that jumps about. Answers a sum of what was found. */
export function lookups(kernel: Kernel, kind: Kind, count: number): (n: number) => number {
  const demux = kernel.port(SocketDemux).current;
  const key = Object.assign(new FlowKey(), { protocol: PROTOCOL, local2: PREFIX, local3: HERE, remote2: PREFIX, ifindex: 1 });
  key.localPort = kind === 'connected' ? 80 : 81;
  let at = 0;
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      // A step that shares no factor with any of the counts.
      at = (at + 7919) % count;
      key.remote3 = FIRST_PEER + Math.floor(at / PEER_FLOWS);
      key.remotePort = 1024 + (at % PEER_FLOWS);
      sum += demux.find(key)!.remotePort + 1;
    }
    return sum;
  };
}

/** Connections from here, each given a port, and closed when a window of them is open. */
export function connects(kernel: Kernel, open: number): (n: number) => number {
  const demux = kernel.port(SocketDemux).current;
  const ports = kernel.port(SocketPorts).current;
  const ring: (SockCommon | null)[] = new Array<SockCommon | null>(open).fill(null);
  let at = 0;
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const slot = at++ % open;
      const old = ring[slot]!;
      if (old !== null) demux.remove(old);
      const sock = connectionOf(at % 1_000_000);
      sock.localPort = 0;
      if (ports.connect(sock) !== 0) throw new Error('no port is left');
      ring[slot] = sock;
      sum += sock.localPort;
    }
    return sum;
  };
}

/** Sockets that are bound, to a port that is chosen or all to one by REUSEPORT, put in, and closed when a window of them is open. */
export function binds(kernel: Kernel, kind: 'chosen' | 'shared', open: number): (n: number) => number {
  const demux = kernel.port(SocketDemux).current;
  const ports = kernel.port(SocketPorts).current;
  const ring: (SockCommon | null)[] = new Array<SockCommon | null>(open).fill(null);
  const local = { family: ADDRESS_FAMILY.INET, protocol: PROTOCOL, local2: PREFIX, local3: HERE };
  const shared = { localPort: 81, flags: SOCK_FLAG.REUSEPORT };
  let at = 0;
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const slot = at++ % open;
      const old = ring[slot]!;
      if (old !== null) demux.remove(old);
      const sock = Object.assign(new SockCommon(ops), local, kind === 'shared' ? shared : {});
      if (ports.bind(sock) !== 0) throw new Error('no port is left');
      demux.insert(sock);
      ring[slot] = sock;
      sum += sock.localPort;
    }
    return sum;
  };
}
