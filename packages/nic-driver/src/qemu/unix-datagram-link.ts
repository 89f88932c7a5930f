import type { Stats } from 'node:fs';
import { closeSync, lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SocketLibc } from '../descriptor/libc.ts';
import type { DatagramPath, Endpoint } from './endpoint.ts';
import { LINUX, notASocket, unixError } from './unix-error.ts';

/** <bits/socket.h>; the same on all that the C library is called on. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
/** Linux doubles it. The longest frame has to fit, whatever the default is; what more waits there only grows old. */
const SEND_BYTES = 131_072;
/** A `struct sockaddr` of AF_UNSPEC: connected to nobody. */
const NOBODY_BYTES = 2;

/**
 * A unix datagram socket that is bound to one path and, while a peer is there, connected to another: then Linux lets nobody else send
 * to it. It outlives the generation of the module that made it. Linux says by no event that a peer has gone: a send fails, or
 * {@link connect}, which changes nothing while it is there.
 */
export class UnixDatagramLink {
  readonly sort = 'unix-datagram';
  readonly endpoint: Endpoint;
  readonly libc: SocketLibc;
  /** -1: closed. */
  fd = -1;
  connected = false;
  readonly #local: string;
  readonly #remote: Uint8Array;
  /** The socket's file, to know it again; its folder may be another one from the process's by then. */
  #file: Stats | undefined;
  readonly #filePath: string;

  /** @param endpoint checked, with paths in `local` and `remote`. */
  constructor(endpoint: Endpoint, libc: SocketLibc) {
    const { local, remote } = endpoint as { readonly local: DatagramPath; readonly remote: DatagramPath };
    this.endpoint = endpoint;
    this.libc = libc;
    this.#local = local.path;
    this.#filePath = resolve(local.path);
    this.#remote = packUnixAddress(remote.path);
  }

  /** Makes the socket and its file; nobody has to be at the other path yet. @throws NetError what Linux says, in a sentence. */
  begin(): void {
    const { libc } = this;
    this.fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    try {
      if (this.fd < 0) throw unixError('socket', this.#local, libc.errno());
      libc.setOption(this.fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES);
      this.#bind();
      const errno = this.connect();
      if (errno === LINUX.EACCES || errno === LINUX.EPROTOTYPE) throw unixError('connect', this.#remotePath, errno);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Connects, or looks whether the peer is still there. 0; or why nobody is, and then it is connected to nobody. */
  connect(): number {
    const errno = this.libc.connect(this.fd, this.#remote) === 0 ? 0 : this.libc.errno();
    if (errno === 0) this.connected = true;
    else this.disconnect();
    return errno;
  }

  /** So another peer may come in. What the last one sent and nobody has read is lost (Linux does so). */
  disconnect(): void {
    if (this.connected) this.libc.connect(this.fd, new Uint8Array(NOBODY_BYTES));
    this.connected = false;
  }

  /** For good, and removes its file, unless that is another's by now. Idempotent. */
  close(): void {
    this.connected = false;
    if (this.fd < 0) return;
    const file = this.#file && lstatSync(this.#filePath, { throwIfNoEntry: false });
    try {
      // While the socket is open nobody else's file has its number.
      if (file !== undefined && file.ino === this.#file?.ino && file.dev === this.#file.dev) unlinkSync(this.#filePath);
    } catch {
      // The folder is not ours to write to any more: who binds there next finds a stale file.
    }
    this.#file = undefined;
    closeSync(this.fd);
    this.fd = -1;
  }

  get #remotePath(): string {
    return (this.endpoint.remote as DatagramPath).path;
  }

  #bind(): void {
    const { libc } = this;
    const address = packUnixAddress(this.#local);
    if (libc.bind(this.fd, address) !== 0) {
      if (libc.errno() !== LINUX.EADDRINUSE) throw unixError('bind', this.#local, libc.errno());
      this.#removeStale(address);
      if (libc.bind(this.fd, address) !== 0) throw unixError('bind', this.#local, libc.errno());
    }
    this.#file = lstatSync(this.#filePath, { throwIfNoEntry: false });
  }

  /** A file whose socket is closed is nobody's. @throws NetError EADDRINUSE: it is somebody's, or no socket at all. */
  #removeStale(address: Uint8Array): void {
    if (lstatSync(this.#filePath, { throwIfNoEntry: false })?.isSocket() === false) throw notASocket(this.#local);
    const dead = this.libc.connect(this.fd, address) !== 0 && this.libc.errno() === LINUX.ECONNREFUSED;
    if (!dead) throw unixError('bind', this.#local, LINUX.EADDRINUSE);
    unlinkSync(this.#filePath);
  }
}

/** A `struct sockaddr_un` of <sys/un.h>, no longer than it has to be. @param path of bytes that fit, without NUL: `checkEndpoint`. */
function packUnixAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(2 + name.length + 1);
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}
