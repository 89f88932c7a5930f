import type { SockCommon } from '@softnet/contract';
import { ERRNO, SO, SOCK_FLAG, SOL } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { connectionOf } from './connection-of.ts';
import { putIntBytes } from './int-bytes.ts';
import type { MachineWorld } from './machine-world.ts';
import type { TcpHost } from './tcp-host.ts';
import { wakeUser } from './wake-user.ts';

/** Bits of `SockOptions.bufferLocks`. */
const LOCK = Object.freeze({ SEND: 1, RECEIVE: 2 } as const);

/** Options of other levels than TCP's own: their module's matter, and what of it concerns a connection. */
export class LevelOptions {
  readonly #host: TcpHost;
  readonly #machine: Machine;
  readonly #world: MachineWorld;

  constructor(host: TcpHost, machine: Machine, world: MachineWorld) {
    this.#host = host;
    this.#machine = machine;
    this.#world = world;
  }

  set(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const { items, owners } = this.#host.levels;
    const index = items.findLastIndex((item) => item.level === level);
    if (index < 0) return -ERRNO.ENOPROTOOPT;
    const result = this.#as(owners[index]!, () => items[index]!.set(sock, name, value));
    if (result >= 0 && level === SOL.SOCKET) this.#follow(connectionOf(sock), name);
    return result;
  }

  get(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const { items, owners } = this.#host.levels;
    const conn = connectionOf(sock);
    // What it has come to by itself.
    if (level === SOL.SOCKET && name === SO.SNDBUF) return putIntBytes(value, conn.sendBufferBytes);
    // What was no reason to end it is said where nothing worse is, once; as Linux.
    if (level === SOL.SOCKET && name === SO.ERROR && sock.error === 0 && conn.extra !== null) {
      sock.error = conn.extra.softErrno;
      conn.extra.softErrno = 0;
    }
    if (level === SOL.SOCKET && name === SO.RCVBUF) return putIntBytes(value, conn.receiveBufferBytes);
    const index = items.findLastIndex((item) => item.level === level);
    if (index < 0) return -ERRNO.ENOPROTOOPT;
    return this.#as(owners[index]!, () => items[index]!.get(sock, name, value));
  }

  /** The socket is closed. */
  closed(sock: SockCommon): void {
    const { items, owners } = this.#host.levels;
    for (let i = 0; i < items.length; i++) this.#as(owners[i]!, () => items[i]!.closed(sock));
  }

  #follow(conn: Connection, name: number): void {
    const { sock } = conn;
    switch (name) {
      case SO.SNDBUF:
      case SO.SNDBUFFORCE:
        conn.sendBufferBytes = sock.options!.sendLimitBytes;
        this.#followLocks(conn);
        this.#world.roomChanged(conn);
        return;
      case SO.RCVBUF:
      case SO.RCVBUFFORCE:
        conn.receiveBufferBytes = sock.options!.receiveLimitBytes;
        this.#followLocks(conn);
        return;
      case SO.BUF_LOCK:
        this.#followLocks(conn);
        return;
      case SO.RCVLOWAT:
        this.#followLowWater(conn);
        return;
      case SO.KEEPALIVE:
        this.#machine.keepaliveChanged(conn);
        return;
      case SO.OOBINLINE:
        if ((sock.flags & SOCK_FLAG.OOBINLINE) !== 0) wakeUser(sock, this.#host.log);
    }
  }

  #followLocks(conn: Connection): void {
    const { bufferLocks } = conn.sock.options!;
    conn.flags &= ~(FLAG.SEND_BUFFER_LOCKED | FLAG.RECEIVE_BUFFER_LOCKED);
    if ((bufferLocks & LOCK.SEND) !== 0) conn.flags |= FLAG.SEND_BUFFER_LOCKED;
    if ((bufferLocks & LOCK.RECEIVE) !== 0) conn.flags |= FLAG.RECEIVE_BUFFER_LOCKED;
  }

  /** Linux's `tcp_set_rcvlowat`: what is waited for has room, and may be there already. */
  #followLowWater(conn: Connection): void {
    const { options } = conn.sock;
    const mostBytes = this.#host.settings.rmem[2]! >> 1;
    const lowBytes = Math.min(
      options!.receiveLowBytes,
      (conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) !== 0 ? conn.receiveBufferBytes >> 1 : mostBytes,
    );
    options!.receiveLowBytes = lowBytes;
    wakeUser(conn.sock, this.#host.log);
    if ((conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) !== 0 || 2 * lowBytes <= conn.receiveBufferBytes) return;
    conn.receiveBufferBytes = 2 * lowBytes;
    conn.windowClamp = Math.max(conn.windowClamp, lowBytes);
  }

  #as<T>(owner: number, call: () => T): T {
    const { current } = this.#host;
    const caller = current.id;
    current.id = owner;
    try {
      return call();
    } finally {
      current.id = caller;
    }
  }
}
