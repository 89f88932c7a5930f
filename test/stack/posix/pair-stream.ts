import type { Message, ModuleContext, Objects, Owner, SockAddress, SocketCalls, SockOps, SoftnetModule, Timer } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  MESSAGE_FLAG,
  Module,
  OptionLevel,
  POLL,
  SOCK_FLAG,
  SOCK_TYPE,
  SockCommon,
  SocketProtocol,
} from '@softnet/contract';

/** A family of its own. */
export const PAIR_FAMILY = 40;
/** What a socket takes before its peer reads: so little that writes are cut. */
export const ROOM_BYTES = 8;
/** A connection is there after so long. */
export const CONNECT_US = 1000;

class PairState {
  peer: SockCommon | null = null;
  /** Of a listener: connections that nobody has accepted. */
  readonly queue: SockCommon[] = [];
  backlog = 0;
  readonly bytes: number[] = [];
  /** The peer sends no more. */
  ended = false;
  shut = 0;
  closed = false;
  /** Refused, reset, or a listener that was shut: nothing more comes of it. */
  dead = false;
  /** Where urgent data stand: bytes before them; -1: nowhere. */
  mark = -1;
  timer: Timer | null = null;
}

const stateOf = (sock: SockCommon): PairState => sock.ext as PairState;

/** Streams between sockets of one kernel, as TCP's are seen from above: connecting takes time, writes are cut, ends are heard. */
class PairStreams implements SockOps, SocketCalls {
  readonly name = 'pair';
  readonly type = SOCK_TYPE.STREAM;
  readonly calls: SocketCalls = this;
  readonly sockets: Objects<SockCommon>;
  readonly #ctx: ModuleContext;
  readonly #listeners = new Map<number, SockCommon>();
  readonly #levels;

  constructor(ctx: ModuleContext) {
    this.#ctx = ctx;
    this.#levels = ctx.contributions(OptionLevel);
    this.sockets = ctx.objects<SockCommon>('socket', {
      drain: 'wait',
      close: (sock, why) => {
        const { wake } = sock;
        this.close(sock);
        sock.error = -why.errno;
        wake?.(sock);
      },
    });
  }

  open(family: number, owner: Owner): SockCommon {
    const sock = Object.assign(new SockCommon(this), { family, protocol: 1, ext: new PairState() });
    this.sockets.hold(sock, owner, 'pair.open');
    return sock;
  }
  input(): void {}
  error(): void {}
  released(): void {}

  bind(sock: SockCommon, address: SockAddress): number {
    if (this.#listeners.has(address.port)) return -ERRNO.EADDRINUSE;
    sock.localPort = address.port;
    return 0;
  }
  listen(sock: SockCommon, backlog: number): number {
    if (sock.localPort === 0) return -ERRNO.EDESTADDRREQ;
    stateOf(sock).backlog = backlog;
    sock.flags |= SOCK_FLAG.LISTENING;
    this.#listeners.set(sock.localPort, sock);
    return 0;
  }
  connect(sock: SockCommon, address: SockAddress): number {
    const state = stateOf(sock);
    if (address.family === ADDRESS_FAMILY.UNSPEC) {
      state.timer?.cancel();
      state.dead = true;
      return 0;
    }
    if (state.peer !== null) return -ERRNO.EISCONN;
    if (state.timer?.armed === true) return -ERRNO.EALREADY;
    state.timer ??= this.#ctx.timer((each: SockCommon) => this.#connected(each), sock, 'pair.connect');
    state.dead = false;
    sock.remotePort = address.port;
    sock.remote3 = 1;
    state.timer.arm(CONNECT_US);
    return -ERRNO.EINPROGRESS;
  }
  #connected(sock: SockCommon): void {
    const listener = this.#listeners.get(sock.remotePort);
    if (listener === undefined || stateOf(listener).queue.length >= stateOf(listener).backlog) {
      sock.error = ERRNO.ECONNREFUSED;
      stateOf(sock).dead = true;
    } else {
      const child = this.open(sock.family, listener.holdOwner!);
      child.localPort = listener.localPort;
      Object.assign(child, { remote3: 1, remotePort: 9 });
      stateOf(child).peer = sock;
      stateOf(sock).peer = child;
      stateOf(listener).queue.push(child);
      listener.wake?.(listener, POLL.IN);
    }
    sock.wake?.(sock);
  }
  accept(sock: SockCommon): SockCommon | null {
    return stateOf(sock).queue.shift() ?? null;
  }

  send(sock: SockCommon, message: Message): number {
    const { peer, shut } = stateOf(sock);
    if ((shut & 2) !== 0) return -ERRNO.EPIPE;
    if (peer === null) return -ERRNO.ENOTCONN;
    const room = ROOM_BYTES - stateOf(peer).bytes.length;
    if (stateOf(peer).closed) return -ERRNO.EPIPE;
    if (room === 0) return -ERRNO.EAGAIN;
    const all = [...(message.data ?? []), ...(message.more ?? []).flatMap((place) => [...place])];
    const taken = all.slice(0, room);
    stateOf(peer).bytes.push(...taken);
    if ((message.flags & MESSAGE_FLAG.OOB) !== 0) stateOf(peer).mark = stateOf(peer).bytes.length - 1;
    peer.wake?.(peer, POLL.IN);
    return taken.length;
  }
  receive(sock: SockCommon, message: Message): number {
    const { bytes, ended, peer } = stateOf(sock);
    message.control = null;
    message.hasAddress = false;
    if (sock.error !== 0) {
      const { error } = sock;
      sock.error = 0;
      return -error;
    }
    if ((message.flags & MESSAGE_FLAG.OOB) !== 0) return stateOf(sock).mark < 0 ? -ERRNO.EINVAL : -ERRNO.EAGAIN;
    if (bytes.length === 0) return ended ? 0 : peer === null ? -ERRNO.ENOTCONN : -ERRNO.EAGAIN;
    let count = 0;
    for (const place of [...(message.data === null ? [] : [message.data]), ...(message.more ?? [])]) {
      const some = bytes.slice(count, count + place.length);
      place.set(some);
      count += some.length;
    }
    const isPeek = (message.flags & MESSAGE_FLAG.PEEK) !== 0;
    message.flags = 0;
    if (isPeek) return count;
    bytes.splice(0, count);
    stateOf(sock).mark = Math.max(-1, stateOf(sock).mark - count);
    peer?.wake?.(peer, POLL.OUT);
    return count;
  }
  shutdown(sock: SockCommon, how: number): number {
    const state = stateOf(sock);
    if ((sock.flags & SOCK_FLAG.LISTENING) !== 0) return this.#endListening(sock);
    if (state.peer === null) return -ERRNO.ENOTCONN;
    state.shut |= how;
    if ((how & 2) !== 0) {
      stateOf(state.peer).ended = true;
      state.peer.wake?.(state.peer);
    }
    return 0;
  }
  #endListening(sock: SockCommon): number {
    sock.flags &= ~SOCK_FLAG.LISTENING;
    stateOf(sock).dead = true;
    sock.wake?.(sock);
    return 0;
  }
  close(sock: SockCommon): void {
    const state = stateOf(sock);
    if (state.closed) return;
    state.closed = true;
    state.timer?.cancel();
    if (this.#listeners.get(sock.localPort) === sock) this.#listeners.delete(sock.localPort);
    for (const child of state.queue) this.close(child);
    if (state.peer !== null) {
      const { peer } = state;
      stateOf(peer).ended = true;
      // It is reset: what it has sent will not be read.
      if (state.bytes.length > 0) stateOf(peer).dead = true;
      peer.wake?.(peer);
    }
    this.sockets.release(sock);
  }
  poll(sock: SockCommon): number {
    const { queue, bytes, ended, peer } = stateOf(sock);
    let bits = sock.error === 0 ? 0 : POLL.ERR | POLL.OUT;
    const isReadable = bytes.length >= (sock.options?.receiveLowBytes ?? 1);
    if (queue.length > 0 || isReadable || ended) bits |= POLL.IN;
    if (ended) bits |= POLL.RDHUP;
    if (stateOf(sock).dead) bits |= POLL.IN | POLL.OUT | POLL.RDHUP | POLL.HUP;
    if (peer !== null && stateOf(peer).bytes.length < ROOM_BYTES) bits |= POLL.OUT;
    return bits;
  }
  /** What its peer has not read is not acknowledged; but for the first byte of it, not even sent. */
  queuedBytes(sock: SockCommon, sending: boolean): number {
    const { peer, bytes } = stateOf(sock);
    if ((sock.flags & SOCK_FLAG.LISTENING) !== 0) return -ERRNO.EINVAL;
    return sending ? (peer === null || stateOf(peer).closed ? 0 : stateOf(peer).bytes.length) : bytes.length;
  }
  unsentBytes(sock: SockCommon): number {
    return Math.max(0, this.queuedBytes(sock, true) - 1);
  }
  isAtMark(sock: SockCommon): number {
    return stateOf(sock).mark === 0 ? 1 : 0;
  }
  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    return this.#levels.items.find((each) => each.level === level)?.set(sock, name, value) ?? -ERRNO.ENOPROTOOPT;
  }
  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    return this.#levels.items.find((each) => each.level === level)?.get(sock, name, value) ?? -ERRNO.ENOPROTOOPT;
  }
}

@Module({ name: 'pair', version: '1.0.0', provides: [SocketProtocol] })
export class PairModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const streams = new PairStreams(ctx);
    const open: SocketProtocol['open'] = (family, owner) => streams.open(family, owner);
    ctx.contribute(SocketProtocol, { name: 'pair', family: PAIR_FAMILY, type: SOCK_TYPE.STREAM, protocol: 1, usual: true, open }, 'door');
  }
}
