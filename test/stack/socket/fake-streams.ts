import type { SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, FlowKey, SOCK_FLAG, SOCK_TYPE, SockCommon, SocketDemux, SocketPorts } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { SocketModule } from '@softnet/socket';
import { parseAddress } from '@softnet/wire';

const PROTOCOL = 6;
const LO = 1;
const { REUSEADDR, REUSEPORT, V6ONLY, LISTENING, PORT_BOUND, BIND_NO_PORT } = SOCK_FLAG;

/** A socket that is bound to no address names none, until it has a peer. */
type Words = readonly [number, number, number, number];
const ANY: Words = [0, 0, 0, 0];

/** What options of a row's sockets say, and flags of pairs: 1 REUSEADDR, 2 REUSEPORT, 4 V6ONLY. */
const OPTION = { A: REUSEADDR, P: REUSEPORT, V: V6ONLY, N: BIND_NO_PORT } as const;

/**
 * Streams with nothing in them but their ends: they claim ports and stand in the flow table as TCP's do, and packets that make connections arrive at once.
 * Calls answer 0 or -errno, as Linux's.
 */
export class FakeStreams {
  readonly kernel: Kernel;
  readonly #demux: SocketDemux;
  readonly #ports: SocketPorts;
  /** Those whose address bind has named. */
  readonly #bound = new Set<SockCommon>();
  /** Connections that wait to be accepted, by their listener. */
  readonly #waiting = new Map<SockCommon, SockCommon[]>();
  readonly #ops = { name: 'fake', type: SOCK_TYPE.STREAM } as SockOps;
  readonly #ended: SockOps;

  private constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.#demux = kernel.port(SocketDemux).current;
    this.#ports = kernel.port(SocketPorts).current;
    // Linux's `tcp_tw_reuse`: for a second, not where another port would do.
    const yields = (old: SockCommon, _young: SockCommon, isChosen: boolean): boolean => {
      if (!isChosen) this.#demux.remove(old);
      return !isChosen;
    };
    this.#ended = { ...this.#ops, name: 'ended', yields };
  }

  static async boot(): Promise<FakeStreams> {
    const world = new World({ clock: 'virtual', seed: 1 });
    const kernel = new Kernel({ world, name: 'fake' });
    await world.run(kernel.load(SocketModule));
    return new FakeStreams(kernel);
  }

  socket(family: 4 | 6, options: string): SockCommon {
    const sock = new SockCommon(this.#ops);
    sock.family = family === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
    sock.protocol = PROTOCOL;
    for (const letter of options) {
      if (letter === 'D') sock.ifindex = LO;
      else sock.flags |= OPTION[letter as keyof typeof OPTION];
    }
    return sock;
  }

  bind(sock: SockCommon, address: string, port: number): number {
    if (sock.localPort !== 0) return -ERRNO.EINVAL;
    const words = wordsOf(address);
    setLocal(sock, words);
    sock.localPort = port;
    const isLater = port === 0 && (sock.flags & BIND_NO_PORT) !== 0;
    const error = isLater ? 0 : this.#ports.bind(sock);
    if (error < 0) {
      setLocal(sock, ANY);
      sock.localPort = 0;
      return error;
    }
    if (words !== ANY) this.#bound.add(sock);
    if (port !== 0) sock.flags |= PORT_BOUND;
    return 0;
  }

  listen(sock: SockCommon): number {
    if ((sock.flags & LISTENING) !== 0) return 0;
    sock.flags |= LISTENING;
    const error = this.#ports.bind(sock);
    if (error < 0) sock.flags &= ~LISTENING;
    else this.#demux.insert(sock);
    return error;
  }

  connect(sock: SockCommon, address: string, port: number): number {
    const [remote0, remote1, remote2, remote3] = wordsOf(address);
    if (!this.#bound.has(sock)) setLocal(sock, wordsOf(address));
    Object.assign(sock, { remote0, remote1, remote2, remote3, remotePort: port });
    const error = this.#ports.connect(sock);
    if (error < 0) {
      this.#clear(sock);
      return error;
    }
    const peer = this.#demux.find(keyFrom(sock));
    // To itself: both opens meet.
    if (peer === sock) return 0;
    if (peer === null || (peer.flags & LISTENING) === 0) {
      this.#demux.remove(sock);
      this.#clear(sock);
      this.#keepPort(sock);
      return -ERRNO.ECONNREFUSED;
    }
    this.#open(sock, peer);
    return 0;
  }

  /** Null: none waits. */
  accept(listener: SockCommon): SockCommon | null {
    return this.#waiting.get(listener)?.shift() ?? null;
  }

  /** Listens no more; what it was bound to, it keeps. */
  shut(sock: SockCommon): number {
    this.#demux.remove(sock);
    sock.flags &= ~LISTENING;
    this.#keepPort(sock);
    return 0;
  }

  reuse(sock: SockCommon, on: boolean): number {
    sock.flags = on ? sock.flags | REUSEADDR : sock.flags & ~REUSEADDR;
    return 0;
  }

  close(sock: SockCommon): number {
    this.#demux.remove(sock);
    for (const child of this.#waiting.get(sock) ?? []) this.#demux.remove(child);
    this.#waiting.delete(sock);
    return 0;
  }

  /** It closes first, and what is left of it stands there for a while. */
  timeWait(sock: SockCommon, peer: SockCommon): SockCommon {
    this.#demux.remove(peer);
    const { family, protocol, localPort, remotePort, ifindex, flags } = sock;
    const left = Object.assign(new SockCommon(this.#ended), { family, protocol, localPort, remotePort, ifindex, flags });
    setLocal(left, [sock.local0, sock.local1, sock.local2, sock.local3]);
    Object.assign(left, { remote0: sock.remote0, remote1: sock.remote1, remote2: sock.remote2, remote3: sock.remote3 });
    left.flags &= ~(SOCK_FLAG.PORT_CLAIMED | SOCK_FLAG.PORT_SHARED);
    this.#demux.remove(sock);
    this.#demux.insert(left);
    return left;
  }

  #open(client: SockCommon, listener: SockCommon): void {
    const key = keyFrom(client);
    const child = Object.assign(new SockCommon(this.#ops), {
      ...{ family: listener.family, protocol: PROTOCOL, localPort: key.localPort, remotePort: key.remotePort, ifindex: listener.ifindex },
      ...{ local0: key.local0, local1: key.local1, local2: key.local2, local3: key.local3 },
      ...{ remote0: key.remote0, remote1: key.remote1, remote2: key.remote2, remote3: key.remote3 },
      flags: listener.flags & (REUSEADDR | REUSEPORT | V6ONLY),
    });
    this.#demux.insert(child);
    const waiting = this.#waiting.get(listener) ?? [];
    this.#waiting.set(listener, waiting);
    waiting.push(child);
  }

  #clear(sock: SockCommon): void {
    Object.assign(sock, { remote0: 0, remote1: 0, remote2: 0, remote3: 0, remotePort: 0 });
    if (!this.#bound.has(sock)) setLocal(sock, ANY);
  }

  #keepPort(sock: SockCommon): void {
    if ((sock.flags & PORT_BOUND) === 0) sock.localPort = 0;
    else this.#ports.bind(sock);
  }
}

/** What arrives at the other end of a connection over the loopback. */
function keyFrom(sock: SockCommon): FlowKey {
  return Object.assign(new FlowKey(), {
    ...{ protocol: PROTOCOL, localPort: sock.remotePort, remotePort: sock.localPort, ifindex: LO },
    ...{ local0: sock.remote0, local1: sock.remote1, local2: sock.remote2, local3: sock.remote3 },
    ...{ remote0: sock.local0, remote1: sock.local1, remote2: sock.local2, remote3: sock.local3 },
  });
}

function setLocal(sock: SockCommon, [local0, local1, local2, local3]: Words): void {
  Object.assign(sock, { local0, local1, local2, local3 });
}

function wordsOf(text: string): Words {
  if (text === '0.0.0.0' || text === '::') return ANY;
  return parseAddress(text)!.words as Words;
}
