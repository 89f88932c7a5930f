import type { Message, ModuleContext, NetError, Objects, Owner, SockAddress, SocketCalls, SockOps, SoftnetModule } from '@softnet/contract';
import {
  ERRNO,
  IP_PROTOCOL,
  MemoryAccounts,
  Module,
  OptionLevel,
  one,
  POLL,
  SO,
  SOCK_FLAG,
  SOCK_TYPE,
  SOL,
  SockCommon,
  SocketProtocol,
} from '@softnet/contract';

/** What one end may have waiting: so that writes are partial. */
const ROOM_BYTES = 16_384;
const FIRST_PORT = 40_000;

/** One end. */
class End {
  peer: SockCommon | null = null;
  came: Uint8Array[] = [];
  cameBytes = 0;
  ended = false;
  shut = false;
  reset = false;
  closed = false;
  /** Asked to connect, and not answered. */
  opening = false;
  lingersZero = false;
  backlog = 0;
  waiting: SockCommon[] = [];
  readonly options = new Map<string, Uint8Array>();
}

function endOf(sock: SockCommon): End {
  return sock.ext as End;
}

/** Streams within one host, in memory: what TCP's sockets will do for their faces, without TCP. */
@Module({
  name: 'pair-stream',
  version: '1.0.0',
  summary: 'streams for tests',
  requires: [one(MemoryAccounts)],
  provides: [SocketProtocol],
})
export class PairStreamModule implements SoftnetModule {
  #sockets: PairSockets | null = null;

  stop(): void {
    this.#sockets?.stop();
  }

  start(ctx: ModuleContext): void {
    const ops = new PairSockets(ctx);
    this.#sockets = ops;
    const open = (family: number, owner: Owner): SockCommon => ops.open(family, owner);
    ctx.contribute(
      SocketProtocol,
      { name: 'pair', family: 0, type: SOCK_TYPE.STREAM, protocol: IP_PROTOCOL.TCP, usual: true, open },
      'door',
    );
  }
}

class PairSockets implements SockOps, SocketCalls {
  readonly name = 'pair';
  readonly type = SOCK_TYPE.STREAM;
  readonly calls: SocketCalls = this;
  readonly #sockets: Objects<SockCommon>;
  readonly #listeners = new Map<number, SockCommon>();
  readonly #levels;
  /** What happens at the next turn. */
  readonly #soon: (() => void)[] = [];
  readonly #timer;
  #lastPort = FIRST_PORT;

  constructor(ctx: ModuleContext) {
    this.#sockets = ctx.objects<SockCommon>('socket', { drain: 'wait', close: (sock, why) => this.#force(sock, why) });
    this.#levels = ctx.contributions(OptionLevel);
    this.#timer = ctx.timer(
      () => {
        for (const then of this.#soon.splice(0)) then();
      },
      undefined,
      'pair.soon',
    );
  }

  stop(): void {
    this.#timer.cancel();
  }

  open(family: number, owner: Owner): SockCommon {
    const sock = this.#make(family);
    this.#sockets.hold(sock, owner, 'pair.open');
    return sock;
  }

  #make(family: number): SockCommon {
    const sock = new SockCommon(this);
    sock.family = family;
    sock.protocol = IP_PROTOCOL.TCP;
    sock.ext = new End();
    return sock;
  }

  input(): void {}
  error(): void {}
  released(): void {}

  #later(then: () => void): void {
    this.#soon.push(then);
    if (!this.#timer.armed) this.#timer.arm(50);
  }

  #wake(sock: SockCommon | null): void {
    if (sock !== null) this.#later(() => sock.wake?.(sock));
  }

  bind(sock: SockCommon, address: SockAddress): number {
    if (address.family !== sock.family) return -ERRNO.EINVAL;
    // 192.0.2.0/24 is nobody's.
    if (address.address3 >>> 8 === 0xc00002) return -ERRNO.EADDRNOTAVAIL;
    if (address.port !== 0 && this.#listeners.has(address.port)) return -ERRNO.EADDRINUSE;
    this.#setLocal(sock, address);
    sock.localPort = address.port || this.#lastPort++;
    return 0;
  }

  #setLocal(sock: SockCommon, address: SockAddress): void {
    [sock.local0, sock.local1, sock.local2, sock.local3] = [address.address0, address.address1, address.address2, address.address3];
  }

  listen(sock: SockCommon, backlog: number): number {
    if (this.#listeners.has(sock.localPort)) return -ERRNO.EADDRINUSE;
    endOf(sock).backlog = backlog;
    sock.flags |= SOCK_FLAG.LISTENING;
    this.#listeners.set(sock.localPort, sock);
    return 0;
  }

  connect(sock: SockCommon, address: SockAddress): number {
    if (address.family !== sock.family) return -ERRNO.EAFNOSUPPORT;
    if (sock.localPort === 0) sock.localPort = this.#lastPort++;
    this.#setLocal(sock, address);
    [sock.remote0, sock.remote1, sock.remote2, sock.remote3] = [address.address0, address.address1, address.address2, address.address3];
    sock.remotePort = address.port;
    endOf(sock).opening = true;
    // 198.51.100.0/24 never answers.
    if (address.address3 >>> 8 !== 0xc63364) this.#later(() => this.#answer(sock));
    return -ERRNO.EINPROGRESS;
  }

  #answer(sock: SockCommon): void {
    const end = endOf(sock);
    const listener = this.#listeners.get(sock.remotePort);
    if (end.closed) return;
    if (listener !== undefined && endOf(listener).waiting.length > endOf(listener).backlog) {
      this.#later(() => this.#answer(sock));
      return;
    }
    end.opening = false;
    if (listener === undefined) sock.error = ERRNO.ECONNREFUSED;
    else {
      const child = this.#make(listener.family);
      for (const field of ['0', '1', '2', '3'] as const) {
        child[`local${field}`] = sock[`remote${field}`];
        child[`remote${field}`] = sock[`local${field}`];
      }
      [child.localPort, child.remotePort] = [sock.remotePort, sock.localPort];
      endOf(child).peer = sock;
      end.peer = child;
      endOf(listener).waiting.push(child);
      this.#wake(listener);
    }
    this.#wake(sock);
  }

  accept(sock: SockCommon, owner: Owner): SockCommon | null {
    const child = endOf(sock).waiting.shift();
    if (child === undefined) return null;
    this.#sockets.hold(child, owner, 'pair.accept');
    return child;
  }

  send(sock: SockCommon, message: Message): number {
    const end = endOf(sock);
    if (end.reset) return -ERRNO.ECONNRESET;
    if (end.closed || end.shut || end.peer === null) return -ERRNO.EPIPE;
    const peer = endOf(end.peer);
    if (peer.closed) {
      this.#reset(sock);
      return -ERRNO.EPIPE;
    }
    const free = ROOM_BYTES - peer.cameBytes;
    if (free <= 0) return -ERRNO.EAGAIN;
    let taken = 0;
    for (const part of [message.data!, ...(message.more ?? [])]) {
      const bytes = part.slice(0, free - taken);
      if (bytes.length > 0) peer.came.push(bytes);
      taken += bytes.length;
    }
    peer.cameBytes += taken;
    this.#wake(end.peer);
    return taken;
  }

  receive(sock: SockCommon, message: Message): number {
    const end = endOf(sock);
    const bytes = end.came.shift();
    if (bytes === undefined) {
      if (end.reset) return -ERRNO.ECONNRESET;
      return end.ended ? 0 : -ERRNO.EAGAIN;
    }
    const count = Math.min(bytes.length, message.data!.length);
    message.data!.set(bytes.subarray(0, count));
    if (count < bytes.length) end.came.unshift(bytes.subarray(count));
    end.cameBytes -= count;
    this.#wake(end.peer);
    return count;
  }

  shutdown(sock: SockCommon, how: number): number {
    const end = endOf(sock);
    if (end.peer === null) return -ERRNO.ENOTCONN;
    if ((how & 2) !== 0 && !end.shut) this.#end(end);
    return 0;
  }

  #end(end: End): void {
    end.shut = true;
    if (end.peer === null) return;
    endOf(end.peer).ended = true;
    this.#wake(end.peer);
  }

  #reset(sock: SockCommon): void {
    const end = endOf(sock);
    end.reset = true;
    sock.error = ERRNO.ECONNRESET;
    end.came = [];
    this.#wake(sock);
  }

  close(sock: SockCommon): void {
    const end = endOf(sock);
    if (end.closed) return;
    end.closed = true;
    if (this.#listeners.get(sock.localPort) === sock) {
      this.#listeners.delete(sock.localPort);
      for (const child of end.waiting) this.#reset(endOf(child).peer!);
    }
    if (end.peer !== null && !endOf(end.peer).closed) {
      if (end.lingersZero || end.cameBytes > 0) this.#reset(end.peer);
      else this.#end(end);
    }
    if (sock.holdNext !== null) this.#sockets.release(sock);
  }

  #force(sock: SockCommon, why: NetError): void {
    this.close(sock);
    sock.error = -why.errno;
  }

  poll(sock: SockCommon): number {
    const end = endOf(sock);
    let bits = end.came.length > 0 || end.ended || end.waiting.length > 0 ? POLL.IN : 0;
    if (sock.error !== 0) bits |= POLL.ERR;
    if (!end.opening && end.peer !== null && endOf(end.peer).cameBytes < ROOM_BYTES) bits |= POLL.OUT;
    return bits;
  }

  queuedBytes(sock: SockCommon): number {
    return endOf(sock).cameBytes;
  }

  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const end = endOf(sock);
    if (level === SOL.SOCKET && name === SO.LINGER) end.lingersZero = value[0] === 1 && value[4] === 0;
    end.options.set(`${level} ${name}`, value.slice());
    return 0;
  }

  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const found = this.#levels.items.find((each) => each.level === level);
    return found === undefined ? -ERRNO.ENOPROTOOPT : found.get(sock, name, value);
  }
}
