import { closeSync, constants, openSync } from 'node:fs';
import type { Errno } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';
import { hardwareAddressOf, IFF_NO_PI, IFF_TAP, IFREQ_BYTES, interfaceNameOf, packIfreq } from './ifreq.ts';
import type { Libc } from './libc.ts';

const TUN_PATH = '/dev/net/tun';
/** <linux/if_tun.h>, <linux/sockios.h>; the same on all that {@link Libc} is there for. */
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETCARRIER = 0x400454e2;
const SIOCGIFHWADDR = 0x8927;

/** An open TAP: our end of the interface `name` of Linux, which is there at least as long as this is open. */
export class TunFile {
  readonly libc: Libc;
  /** What Linux calls it. */
  readonly name: string;
  /** -1: closed. */
  fd: number;

  constructor(libc: Libc, name: string, fd: number) {
    this.libc = libc;
    this.name = name;
    this.fd = fd;
  }

  /** Our end goes up or down: Linux sees the carrier of its interface come or go. Kernels before 5.0 or so cannot, and see it always there. */
  setCarrier(on: boolean): void {
    const argument = new Uint8Array(4);
    argument[0] = on ? 1 : 0;
    this.libc.ioctl(this.fd, TUNSETCARRIER, argument);
  }

  /** The address of Linux's end, now. Null: it cannot be asked. */
  readAddress(): Uint8Array | null {
    const ifreq = new Uint8Array(IFREQ_BYTES);
    return this.libc.ioctl(this.fd, SIOCGIFHWADDR, ifreq) === 0 ? hardwareAddressOf(ifreq) : null;
  }

  /** Linux removes the interface, unless it was made to persist. Idempotent. */
  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
}

/**
 * Opens the interface `name`, and makes it where it is not there.
 * @param name checked by `checkInterfaceName`; may end in '%d'.
 * @throws NetError EPERM, EACCES, ENOENT, ENODEV, EBUSY, EINVAL, EMFILE, saying what to do.
 */
export function openTun(libc: Libc, name: string, path: string = TUN_PATH): TunFile {
  const fd = openNode(path, name);
  const ifreq = packIfreq(name, IFF_TAP | IFF_NO_PI);
  if (libc.ioctl(fd, TUNSETIFF, ifreq) !== 0) {
    const errno = libc.errno();
    closeSync(fd);
    throw refused(nameOfErrno(errno), name);
  }
  const tun = new TunFile(libc, interfaceNameOf(ifreq), fd);
  // A program before us may have left an interface that persists with offloads: frames would come without checksums.
  libc.ioctl(fd, TUNSETOFFLOAD, null);
  tun.setCarrier(false);
  return tun;
}

function openNode(path: string, name: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EPERM' || code === 'EACCES') throw notAllowed(code, name, `may not open ${path}`, cause);
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
      const advice = 'modprobe tun, or, in a container, --device /dev/net/tun --cap-add NET_ADMIN';
      throw new NetError(code, `tap: Linux's module tun is not there (${path} cannot be opened): ${advice}`, { syscall: 'open', cause });
    }
    throw new NetError(knownErrno(code), `tap: ${path} cannot be opened: ${String(cause)}`, { syscall: 'open', cause });
  }
}

function refused(code: Errno, name: string): NetError {
  const details = { syscall: 'ioctl' };
  if (code === 'EPERM' || code === 'EACCES') return notAllowed(code, name, `may not make or use the interface ${name}`);
  if (code === 'EBUSY')
    return new NetError(code, `tap: another program has the interface ${name}: end it, or give another ifname`, details);
  if (code === 'EINVAL') {
    return new NetError(code, `tap: ${name} is an interface of Linux already, and no tap with one queue: give another ifname`, details);
  }
  return new NetError(code, `tap: Linux does not give us the interface ${name} (TUNSETIFF)`, details);
}

function notAllowed(code: Errno, name: string, what: string, cause?: unknown): NetError {
  const make = `ip tuntap add dev ${name} mode tap user $USER`;
  // Of the node itself: nobody but root may open it on this machine.
  const node = cause === undefined ? '' : `, and open the node to you: chmod 0666 ${TUN_PATH}`;
  const advice = `run as root, or let root make the interface for you: ${make}${node}`;
  return new NetError(code, `tap: this process ${what}, which needs root or CAP_NET_ADMIN: ${advice}`, { syscall: 'open', cause });
}

function nameOfErrno(errno: number): Errno {
  const known = Object.entries(ERRNO).find(([, number]) => number === errno);
  return known === undefined ? 'EIO' : (known[0] as Errno);
}

function knownErrno(code: string | undefined): Errno {
  return code !== undefined && Object.hasOwn(ERRNO, code) ? (code as Errno) : 'EIO';
}
