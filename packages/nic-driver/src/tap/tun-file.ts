import { closeSync, constants, openSync } from 'node:fs';
import type { Errno } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';
import type { Libc } from '../descriptor/libc.ts';
import { nameOfErrno } from '../descriptor/name-of-errno.ts';
import {
  hardwareAddressOf,
  IFF_ATTACH_QUEUE,
  IFF_DETACH_QUEUE,
  IFF_MULTI_QUEUE,
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN,
  IFF_VNET_HDR,
  IFREQ_BYTES,
  interfaceNameOf,
  packIfreq,
} from './ifreq.ts';
import { VNET_HEADER_BYTES } from './vnet-header.ts';

const TUN_PATH = '/dev/net/tun';
/** <linux/if_tun.h>, <linux/sockios.h>; the same on all that {@link Libc} is there for. */
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const TUNSETQUEUE = 0x400454d9;
const TUNSETVNETLE = 0x400454dc;
const TUNSETCARRIER = 0x400454e2;
const SIOCGIFHWADDR = 0x8927;

/** What TUNSETOFFLOAD takes (TUN_F_*): what Linux may leave to us. */
export const TUN_OFFLOAD = Object.freeze({ CHECKSUM: 0x01, TCPV4: 0x02, TCPV6: 0x04, TCP_ECN: 0x08, UDPV4: 0x20, UDPV6: 0x40 } as const);
const UDP_BURSTS = TUN_OFFLOAD.UDPV4 | TUN_OFFLOAD.UDPV6;

/** What kind of interface. */
export interface TunWish {
  /** Ethernet frames, or IP packets. */
  readonly kind: 'tap' | 'tun';
  /** How many queues; 0: one, of an interface that cannot have more. */
  readonly queues: number;
  /** A `virtio_net_hdr` before each frame: checksums and bursts go both ways. */
  readonly vnetHeader: boolean;
}

/** An open TAP or TUN: our end of the interface `name` of Linux, which is there at least as long as this is open. */
export class TunFile {
  readonly libc: Libc;
  readonly kind: 'tap' | 'tun';
  /** What Linux calls it. */
  readonly name: string;
  /** Before each frame: {@link VNET_HEADER_BYTES}, or 0. */
  readonly headerBytes: number;
  /** Linux takes UDP bursts and gives them: since 6.2. */
  readonly udpBursts: boolean;
  /** Of each queue. Empty: closed. */
  fds: readonly number[];

  constructor(libc: Libc, { kind, vnetHeader }: TunWish, name: string, fds: readonly number[]) {
    this.libc = libc;
    this.kind = kind;
    this.name = name;
    this.fds = fds;
    this.headerBytes = vnetHeader ? VNET_HEADER_BYTES : 0;
    this.udpBursts = vnetHeader && this.setOffloads(TUN_OFFLOAD.CHECKSUM | UDP_BURSTS);
    // A program before us may have left an interface that persists with offloads: frames would come without checksums.
    this.setOffloads(vnetHeader ? TUN_OFFLOAD.CHECKSUM : 0);
  }

  get isOpen(): boolean {
    return this.fds.length > 0;
  }

  /** Our end goes up or down: Linux sees the carrier of its interface come or go. Kernels before 5.0 or so cannot, and see it always there. */
  setCarrier(on: boolean): void {
    this.libc.ioctl(this.fds[0]!, TUNSETCARRIER, pointerTo(on ? 1 : 0));
  }

  /** What Linux may leave undone: bits of {@link TUN_OFFLOAD}. False: it does not know all of them, and nothing is changed. */
  setOffloads(offloads: number): boolean {
    return this.libc.ioctl(this.fds[0]!, TUNSETOFFLOAD, offloads) === 0;
  }

  /** So many of the queues are used, the first ones. @throws NetError EIO: Linux refuses. */
  useQueues(count: number): void {
    for (const [index, fd] of this.fds.entries()) {
      const ifreq = packIfreq('', index < count ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
      // EINVAL: it is so already.
      if (this.libc.ioctl(fd, TUNSETQUEUE, ifreq) === 0 || this.libc.errno() === ERRNO.EINVAL) continue;
      throw new NetError(nameOfErrno(this.libc.errno()), `tap: Linux does not use ${count} queues of ${this.name} (TUNSETQUEUE)`);
    }
  }

  /** The address of Linux's end, now. Null: it has none, or cannot be asked. */
  readAddress(): Uint8Array | null {
    if (this.kind === 'tun' || !this.isOpen) return null;
    const ifreq = new Uint8Array(IFREQ_BYTES);
    return this.libc.ioctl(this.fds[0]!, SIOCGIFHWADDR, ifreq) === 0 ? hardwareAddressOf(ifreq) : null;
  }

  /** Linux removes the interface, unless it was made to persist. Idempotent. */
  close(): void {
    for (const fd of this.fds) closeSync(fd);
    this.fds = [];
  }
}

/**
 * Opens the interface `name`, and makes it where it is not there.
 * @param name checked by `checkInterfaceName`; may end in '%d'.
 * @throws NetError EPERM, EACCES, ENOENT, ENODEV, EBUSY, EINVAL, EMFILE, saying what to do.
 */
export function openTun(libc: Libc, name: string, wish: TunWish, path: string = TUN_PATH): TunFile {
  const fds: number[] = [];
  try {
    const given = attach(libc, fds, name, wish, path);
    if (wish.vnetHeader) setHeader(libc, fds[0]!, given);
    while (fds.length < wish.queues) attach(libc, fds, given, wish, path);
    const tun = new TunFile(libc, wish, given, fds);
    tun.setCarrier(false);
    return tun;
  } catch (error) {
    for (const fd of fds) closeSync(fd);
    throw error;
  }
}

/** One queue more. Returns what the interface is called. */
function attach(libc: Libc, fds: number[], name: string, wish: TunWish, path: string): string {
  const fd = openNode(path, name, wish);
  fds.push(fd);
  const ifreq = packIfreq(name, flagsOf(wish));
  if (libc.ioctl(fd, TUNSETIFF, ifreq) !== 0) throw refused(nameOfErrno(libc.errno()), name, wish);
  return interfaceNameOf(ifreq);
}

function flagsOf({ kind, queues, vnetHeader }: TunWish): number {
  const sort = kind === 'tun' ? IFF_TUN : IFF_TAP;
  return sort | IFF_NO_PI | (queues > 0 ? IFF_MULTI_QUEUE : 0) | (vnetHeader ? IFF_VNET_HDR : 0);
}

/** Its size and byte order: an interface that persists has what the last program said. */
function setHeader(libc: Libc, fd: number, name: string): void {
  const done = libc.ioctl(fd, TUNSETVNETHDRSZ, pointerTo(VNET_HEADER_BYTES)) === 0 && libc.ioctl(fd, TUNSETVNETLE, pointerTo(1)) === 0;
  if (done) return;
  const code = nameOfErrno(libc.errno());
  throw new NetError(code, `tap: Linux gives ${name} no header for offloads (TUNSETVNETHDRSZ): make it with vnetHeader off`);
}

/** An `int` that an ioctl reads. */
function pointerTo(value: number): Uint8Array {
  const argument = new Uint8Array(4);
  argument[0] = value;
  return argument;
}

function openNode(path: string, name: string, wish: TunWish): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EPERM' || code === 'EACCES') throw notAllowed(code, name, wish, `may not open ${path}`, cause);
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
      const advice = 'modprobe tun, or, in a container, --device /dev/net/tun --cap-add NET_ADMIN';
      throw new NetError(code, `tap: Linux's module tun is not there (${path} cannot be opened): ${advice}`, { syscall: 'open', cause });
    }
    throw new NetError(knownErrno(code), `tap: ${path} cannot be opened: ${String(cause)}`, { syscall: 'open', cause });
  }
}

function refused(code: Errno, name: string, wish: TunWish): NetError {
  const details = { syscall: 'ioctl' };
  if (code === 'EPERM' || code === 'EACCES') return notAllowed(code, name, wish, `may not make or use the interface ${name}`);
  if (code === 'EBUSY')
    return new NetError(code, `tap: another program has the interface ${name}: end it, or give another ifname`, details);
  if (code === 'EINVAL') {
    const sort = `${wish.kind} with ${wish.queues > 0 ? 'several queues' : 'one queue'}`;
    return new NetError(code, `tap: ${name} is an interface of Linux already, and no ${sort}: give another ifname`, details);
  }
  return new NetError(code, `tap: Linux does not give us the interface ${name} (TUNSETIFF)`, details);
}

function notAllowed(code: Errno, name: string, { kind, queues }: TunWish, what: string, cause?: unknown): NetError {
  const make = `ip tuntap add dev ${name} mode ${kind}${queues > 0 ? ' multi_queue' : ''} user $USER`;
  // Of the node itself: nobody but root may open it on this machine.
  const node = cause === undefined ? '' : `, and open the node to you: chmod 0666 ${TUN_PATH}`;
  const advice = `run as root, or let root make the interface for you: ${make}${node}`;
  return new NetError(code, `tap: this process ${what}, which needs root or CAP_NET_ADMIN: ${advice}`, { syscall: 'open', cause });
}

function knownErrno(code: string | undefined): Errno {
  return code !== undefined && Object.hasOwn(ERRNO, code) ? (code as Errno) : 'EIO';
}
