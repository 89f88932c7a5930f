import { DeviceTraffic, ERRNO } from '@softnet/contract';
import type { OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { SocketFile } from './socket-file.ts';

/** Requests, with Linux's numbers. */
export const IOCTL = Object.freeze({
  FIONBIO: 0x5421,
  /** FD_CLOEXEC off and on, without a value. */
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
  /** 1: the next byte to be read is where urgent data stand. */
  SIOCATMARK: 0x8905,
  /** SIOCINQ too. */
  FIONREAD: 0x541b,
  /** TIOCOUTQ too. */
  SIOCOUTQ: 0x5411,
  /** Bytes that were not sent even once. */
  SIOCOUTQNSD: 0x894b,
  SIOCGIFNAME: 0x8910,
  SIOCGIFFLAGS: 0x8913,
  SIOCGIFMTU: 0x8921,
  SIOCGIFHWADDR: 0x8927,
  SIOCGIFINDEX: 0x8933,
} as const);

/** `struct ifreq`: a name of 16 bytes, then a union. */
const NAME_BYTES = 16;
const IFREQ_BYTES = 40;
const ARPHRD_ETHER = 1;

/** `ioctl` with an int or a `struct ifreq` in `value`, both ways. 0, -ENOTTY, -EINVAL: too short, -ENODEV. */
export function ioctl(process: Process, fd: number, file: OpenFile, request: number, value: Uint8Array): number {
  if (request === IOCTL.FIOCLEX || request === IOCTL.FIONCLEX) {
    process.descriptors.setClosesOnExec(fd, request === IOCTL.FIOCLEX);
    return 0;
  }
  if (value.length < 4) return -ERRNO.EINVAL;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (request === IOCTL.FIONBIO) {
    file.nonBlocking = view.getInt32(0, true) !== 0;
    return 0;
  }
  if (!(file instanceof SocketFile)) return -ERRNO.ENOTTY;
  const count = countOf(file, request);
  if (count === null) return value.length < IFREQ_BYTES ? -ERRNO.EINVAL : deviceIoctl(process, request, value, view);
  if (count < 0) return count;
  view.setInt32(0, count, true);
  return 0;
}

/** What a socket says in a number; null: the request is for none. */
function countOf({ calls, sock }: SocketFile, request: number): number | null {
  switch (request) {
    case IOCTL.FIONREAD:
      return calls.queuedBytes(sock, false);
    case IOCTL.SIOCOUTQ:
      return calls.queuedBytes(sock, true);
    case IOCTL.SIOCOUTQNSD:
      return calls.unsentBytes?.(sock) ?? -ERRNO.ENOTTY;
    case IOCTL.SIOCATMARK:
      return calls.isAtMark?.(sock) ?? -ERRNO.ENOTTY;
    default:
      return null;
  }
}

function deviceIoctl({ host }: Process, request: number, value: Uint8Array, view: DataView): number {
  const devices = host.port(DeviceTraffic).current;
  const byIndex = request === IOCTL.SIOCGIFNAME;
  const name = String.fromCharCode(...value.subarray(0, NAME_BYTES)).split('\0')[0]!;
  const device = byIndex ? devices.byIndex(view.getInt32(NAME_BYTES, true)) : devices.byName(name);
  if (!Object.values(IOCTL).includes(request as never)) return -ERRNO.ENOTTY;
  if (device === null) return -ERRNO.ENODEV;
  switch (request) {
    case IOCTL.SIOCGIFNAME:
      value.fill(0, 0, NAME_BYTES);
      for (let i = 0; i < device.name.length; i++) value[i] = device.name.charCodeAt(i);
      return 0;
    case IOCTL.SIOCGIFINDEX:
      view.setInt32(NAME_BYTES, device.ifindex, true);
      return 0;
    case IOCTL.SIOCGIFMTU:
      view.setInt32(NAME_BYTES, device.mtuBytes, true);
      return 0;
    case IOCTL.SIOCGIFFLAGS:
      view.setUint16(NAME_BYTES, device.flags & 0xffff, true);
      return 0;
    default:
      view.setUint16(NAME_BYTES, ARPHRD_ETHER, true);
      value.set(device.address.subarray(0, 14), NAME_BYTES + 2);
      return 0;
  }
}
