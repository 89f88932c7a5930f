import type { FaceHost, Owner, SockAddress, SockCommon, SocketCalls } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, Message, NetError, POLL, SOCK_TYPE, Sockets } from '@softnet/contract';
import { OpenSocket } from './open-socket.ts';
import type { Answer, CallMessage, CallPoll, SystemCalls } from './system-calls.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const FCNTL = Object.freeze({ GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4 });
const FIRST_FD = 3;

/** The socket calls, straight on a kernel's sockets. */
export class KernelCalls implements SystemCalls {
  readonly #host: FaceHost;
  readonly #open = new Map<number, OpenSocket>();

  constructor(host: FaceHost) {
    this.#host = host;
  }

  socket(domain: number, type: number, protocol: number): number {
    const isBlocking = (type & O_NONBLOCK) === 0;
    try {
      return this.#place(
        (owner) => this.#host.port(Sockets).current.open(domain, type & ~(O_NONBLOCK | SOCK_CLOEXEC), protocol, owner),
        isBlocking,
      );
    } catch (error) {
      return -(error instanceof NetError ? (ERRNO[error.code as keyof typeof ERRNO] ?? ERRNO.EIO) : ERRNO.EIO);
    }
  }

  #place(make: (owner: Owner) => SockCommon | null, isBlocking: boolean): number {
    let fd = FIRST_FD;
    while (this.#open.has(fd)) fd++;
    const opened = OpenSocket.of(`script's descriptor ${fd}`, make, isBlocking);
    if (opened === null) return -ERRNO.EAGAIN;
    this.#open.set(fd, opened);
    return fd;
  }

  #with<T>(fd: number, call: (opened: OpenSocket, calls: SocketCalls) => T): T | number {
    const opened = this.#open.get(fd);
    return opened === undefined ? -ERRNO.EBADF : call(opened, opened.sock.ops.calls!);
  }

  bind(fd: number, address: SockAddress): number {
    return this.#with(fd, ({ sock }, calls) => calls.bind(sock, address));
  }

  connect(fd: number, address: SockAddress): Answer {
    return this.#with<Answer>(fd, (opened, calls) => {
      const answer = calls.connect(opened.sock, address);
      if (answer !== -ERRNO.EINPROGRESS || !opened.isBlocking) return answer;
      return opened.until(POLL.OUT).then(() => -opened.takeError());
    });
  }

  listen(fd: number, backlog: number): number {
    return this.#with(fd, ({ sock }, calls) => calls.listen(sock, backlog));
  }

  accept(fd: number, flags: number): Answer {
    return this.#with<Answer>(fd, (opened, calls) => {
      if (opened.sock.ops.type !== SOCK_TYPE.STREAM) return -ERRNO.EOPNOTSUPP;
      return opened.retried(
        this.#host,
        () => this.#place((owner) => calls.accept(opened.sock, owner), (flags & O_NONBLOCK) === 0),
        POLL.IN,
        0,
      );
    });
  }

  send(fd: number, message: CallMessage): Answer {
    return this.#with<Answer>(fd, (opened, calls) => {
      const sent = new Message();
      fill(sent, message);
      return opened.retried(this.#host, () => calls.send(opened.sock, sent), POLL.OUT, message.flags);
    });
  }

  receive(fd: number, message: CallMessage): Answer {
    return this.#with<Answer>(fd, (opened, calls) => {
      const received = new Message();
      return opened.retried(
        this.#host,
        () => {
          received.data = message.data;
          received.flags = message.flags & ~MESSAGE_FLAG.SKB;
          const answer = calls.receive(opened.sock, received);
          if (answer >= 0) give(received, message);
          return answer;
        },
        POLL.IN,
        message.flags & MESSAGE_FLAG.ERRQUEUE ? message.flags | MESSAGE_FLAG.DONTWAIT : message.flags,
      );
    });
  }

  shutdown(fd: number, how: number): number {
    const bits = [1, 2, 3][how];
    return bits === undefined ? -ERRNO.EINVAL : this.#with(fd, ({ sock }, calls) => calls.shutdown(sock, bits));
  }

  close(fd: number): number {
    return this.#with(fd, (opened) => {
      this.#open.delete(fd);
      opened.close();
      return 0;
    });
  }

  setOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.#with(fd, ({ sock }, calls) => calls.setOption(sock, level, name, value));
  }

  getOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.#with(fd, ({ sock }, calls) => calls.getOption(sock, level, name, value));
  }

  nameOf(fd: number, peer: boolean, address: SockAddress): number {
    return this.#with(fd, ({ sock }) => {
      if (peer && sock.remotePort === 0) return -ERRNO.ENOTCONN;
      address.family = sock.family;
      address.address0 = peer ? sock.remote0 : sock.local0;
      address.address1 = peer ? sock.remote1 : sock.local1;
      address.address2 = peer ? sock.remote2 : sock.local2;
      address.address3 = peer ? sock.remote3 : sock.local3;
      address.port = peer ? sock.remotePort : sock.localPort;
      address.ifindex = 0;
      return 0;
    });
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.#with(fd, (opened) => {
      if (command === FCNTL.GETFD || command === FCNTL.SETFD) return 0;
      if (command === FCNTL.GETFL) return O_RDWR | (opened.isBlocking ? 0 : O_NONBLOCK);
      if (command !== FCNTL.SETFL) return -ERRNO.EINVAL;
      opened.isBlocking = (argument & O_NONBLOCK) === 0;
      return 0;
    });
  }

  queuedBytes(fd: number, sending: boolean): number {
    return this.#with(fd, ({ sock }, calls) => calls.queuedBytes(sock, sending));
  }

  poll(fds: readonly CallPoll[], timeoutMs: number): Answer {
    const ready = this.#ready(fds);
    if (ready !== 0 || timeoutMs === 0) return ready;
    return new Promise((resolve) => {
      let callOff: () => void = () => {};
      const offs: (() => void)[] = [];
      const end = (count: number) => {
        callOff();
        for (const off of offs) off();
        resolve(count);
      };
      if (timeoutMs > 0) callOff = this.#host.after(timeoutMs * 1000, () => end(this.#ready(fds)), 'packetdrill.poll');
      for (const { fd } of fds) {
        const off = this.#open.get(fd)?.watch(() => {
          const count = this.#ready(fds);
          if (count > 0) end(count);
        });
        if (off !== undefined) offs.push(off);
      }
    });
  }

  #ready(fds: readonly CallPoll[]): number {
    let count = 0;
    for (const each of fds) {
      const opened = this.#open.get(each.fd);
      const wanted = each.events | POLL.ERR | POLL.HUP;
      each.revents = opened === undefined ? POLL_NVAL : opened.poll() & wanted;
      if (each.revents !== 0) count++;
    }
    return count;
  }

  closeAll(): void {
    for (const fd of [...this.#open.keys()]) this.close(fd);
  }
}

const POLL_NVAL = 0x20;

function fill(sent: Message, { data, address, flags, control }: CallMessage): void {
  sent.data = data;
  sent.flags = flags;
  sent.hasAddress = address !== null;
  if (address !== null) sent.address = address;
  for (const { level, type, data: bytes } of control.toReversed()) sent.control = { level, type, data: bytes, next: sent.control };
}

function give(received: Message, message: CallMessage): void {
  message.flags = received.flags;
  message.address = received.hasAddress ? received.address : null;
  const control = [];
  for (let each = received.control; each !== null; each = each.next) control.push({ level: each.level, type: each.type, data: each.data });
  message.control = control;
}
