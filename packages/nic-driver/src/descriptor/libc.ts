import { endianness } from 'node:os';
import { NetError } from '@softnet/contract';

/** A watched descriptor: tells when it can be read or written, by Node's own event loop. */
export interface Watch {
  /** Watches from now on, as long as the condition lasts: call `stop` in the callback. Idempotent. */
  start(writable: boolean): void;
  stop(): void;
  /** For good; the descriptor may be closed at once. Idempotent. */
  close(): void;
}

/** What a descriptor needs of the C library. None of it throws; -1 and {@link errno} say what failed. */
export interface Libc {
  /** @param iovecs as {@link ScatterList} fills them. */
  readv(fd: number, iovecs: Uint32Array, count: number): number;
  writev(fd: number, iovecs: Uint32Array, count: number): number;
  /** @param argument what it points to, or the number itself. */
  ioctl(fd: number, request: number, argument: Uint8Array | number): number;
  /** poll(2) of one descriptor, without waiting. False also where it has failed. */
  canWrite(fd: number): boolean;
  /** Linux's number, of the call just made. */
  errno(): number;
  /** Where these bytes lie in the process's memory. They are not on V8's heap, and stay there as long as the array lives. */
  addressOf(bytes: Uint8Array): bigint;
  /** @param ready called in the event loop, while the descriptor can be read (or written), or has failed. */
  watch(fd: number, ready: () => void): Watch;
}

/** Sockets, which Node has not of every sort. */
export interface SocketLibc extends Libc {
  socket(family: number, type: number, protocol: number): number;
  /** @param address a `struct sockaddr`, as long as it says. */
  bind(fd: number, address: Uint8Array): number;
  connect(fd: number, address: Uint8Array): number;
  /** setsockopt(2) of an `int`. */
  setOption(fd: number, level: number, option: number, value: number): number;
}

/** Who wants the C library, for sentences: its name, and what does without. */
export interface LibcUser {
  readonly name: string;
  readonly instead: string;
}

/** koffi, as far as it is used here. `node.poll` gives its callback more than its declarations say; nothing of that is used. */
type Koffi = typeof import('koffi')['default'];

const POLLOUT = 0x4;
const POLLERR_HUP_NVAL = 0x38;
/** Where `struct iovec`, `ifreq` and the numbers of ioctls are as this driver packs them. */
const ARCHITECTURES: readonly string[] = Object.freeze(['x64', 'arm64', 'riscv64', 'loong64']);

/** @throws NetError ENOSYS: not this platform. */
export async function loadLibc(
  { name, instead }: LibcUser,
  platform: string = process.platform,
  architecture: string = process.arch,
): Promise<SocketLibc> {
  if (platform !== 'linux' || !ARCHITECTURES.includes(architecture) || endianness() !== 'LE') {
    const sentence = `${name} needs Linux on ${ARCHITECTURES.join(', ')}, this is ${platform} on ${architecture}: use ${instead} instead`;
    throw new NetError('ENOSYS', sentence);
  }
  let koffi: Koffi;
  try {
    koffi = (await import('koffi')).default;
    return bind(koffi);
  } catch (cause) {
    const reason = `which could not be loaded (${String(cause)})`;
    const sentence = `${name} calls the C library through the package koffi, ${reason}: npm install koffi, or use ${instead} instead`;
    throw new NetError('ENOSYS', sentence, { cause });
  }
}

function bind(koffi: Koffi): SocketLibc {
  const library = koffi.load(null);
  const readv = library.func('intptr_t readv(int fd, void *iovecs, int count)');
  const writev = library.func('intptr_t writev(int fd, void *iovecs, int count)');
  const ioctl = library.func('int ioctl(int fd, unsigned long request, ...)');
  const poll = library.func('int poll(void *descriptors, unsigned long count, int timeoutMs)');
  const socket = library.func('int socket(int family, int type, int protocol)');
  const bindTo = library.func('int bind(int fd, void *address, uint32_t lenBytes)');
  const connect = library.func('int connect(int fd, void *address, uint32_t lenBytes)');
  const setsockopt = library.func('int setsockopt(int fd, int level, int option, void *value, uint32_t lenBytes)');
  const asked = new Int32Array(2);
  return {
    readv: (fd, iovecs, count) => readv(fd, iovecs, count) as number,
    writev: (fd, iovecs, count) => writev(fd, iovecs, count) as number,
    ioctl: (fd, request, argument) => ioctl(fd, request, typeof argument === 'number' ? 'unsigned long' : 'void *', argument) as number,
    canWrite: (fd) => {
      asked[0] = fd;
      asked[1] = POLLOUT;
      return poll(asked, 1, 0) === 1 && ((asked[1]! >>> 16) & (POLLOUT | POLLERR_HUP_NVAL)) === POLLOUT;
    },
    errno: () => koffi.errno(),
    addressOf: (bytes) => koffi.address(bytes),
    watch: (fd, ready) => new PollWatch(koffi, fd, ready),
    socket: (family, type, protocol) => socket(family, type, protocol) as number,
    bind: (fd, address) => bindTo(fd, address, address.length) as number,
    connect: (fd, address) => connect(fd, address, address.length) as number,
    setOption: (fd, level, option, value) => setsockopt(fd, level, option, Int32Array.of(value), 4) as number,
  };
}

const READABLE = Object.freeze({ readable: true });
const READABLE_OR_WRITABLE = Object.freeze({ readable: true, writable: true });

/**
 * libuv's uv_poll_t, which koffi makes: the descriptor stands in the epoll set of Node's own loop. So no thread waits for it, an idle
 * one costs nothing, and closing is at once. README.md has the other ways, and why not.
 */
class PollWatch implements Watch {
  readonly #koffi: Koffi;
  readonly #fd: number;
  readonly #ready: () => void;
  /** Kept: what is collected is closed. Calls on a closed one crash the process. */
  #handle: ReturnType<Koffi['node']['poll']> | null = null;
  #closed = false;

  constructor(koffi: Koffi, fd: number, ready: () => void) {
    this.#koffi = koffi;
    this.#fd = fd;
    this.#ready = ready;
  }

  start(writable: boolean): void {
    if (this.#closed) return;
    const events = writable ? READABLE_OR_WRITABLE : READABLE;
    if (this.#handle === null) this.#handle = this.#koffi.node.poll(this.#fd, events, this.#ready);
    else this.#handle.start(events, this.#ready);
  }

  stop(): void {
    this.#handle?.stop();
  }

  close(): void {
    this.#closed = true;
    this.#handle?.close();
    this.#handle = null;
  }
}
