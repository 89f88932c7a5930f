import type { DeviceTraffic, OptionLevel, Port, SockCommon } from '@softnet/contract';
import { ERRNO, SOCK_BUFFER_BYTES, SOCK_FLAG, SOCK_TYPE, SockOptions } from '@softnet/contract';

/** Linux's `SOL_SOCKET` and `SO_*` (asm-generic/socket.h). */
export const SOL_SOCKET = 1;
export const SO = Object.freeze({
  REUSEADDR: 2,
  TYPE: 3,
  ERROR: 4,
  BROADCAST: 6,
  SNDBUF: 7,
  RCVBUF: 8,
  KEEPALIVE: 9,
  PRIORITY: 12,
  REUSEPORT: 15,
  BINDTODEVICE: 25,
  ACCEPTCONN: 30,
  MARK: 36,
  PROTOCOL: 38,
  DOMAIN: 39,
  BINDTOIFINDEX: 62,
} as const);

/** Linux's `SOCK_MIN_SNDBUF` and `SOCK_MIN_RCVBUF`: one packet goes in. */
const MIN_SEND_BYTES = 4608;
const MIN_RECEIVE_BYTES = 2304;
const MAX_NAME_BYTES = 16;

/** What may be set: Linux's `net.core.wmem_max` and `rmem_max`. */
export interface BufferLimits {
  readonly sendBytes: () => number;
  readonly receiveBytes: () => number;
}

/** Options that are one bit of `sock.flags`. */
const FLAG_OF: Readonly<Record<number, number>> = Object.freeze({
  [SO.REUSEADDR]: SOCK_FLAG.REUSEADDR,
  [SO.REUSEPORT]: SOCK_FLAG.REUSEPORT,
  [SO.BROADCAST]: SOCK_FLAG.BROADCAST,
  [SO.KEEPALIVE]: SOCK_FLAG.KEEPALIVE,
});

/** The level SOL_SOCKET: what sockets of every protocol have. Values as in Linux's ABI: an int is four bytes, little-endian. */
export class SocketLevel implements OptionLevel {
  readonly level: number = SOL_SOCKET;
  readonly #devices: Port<DeviceTraffic>;
  readonly #limits: BufferLimits;

  constructor(devices: Port<DeviceTraffic>, limits: BufferLimits) {
    this.#devices = devices;
    this.#limits = limits;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name === SO.BINDTODEVICE) return this.#bindToDevice(sock, value);
    if (value.length < 4) return -ERRNO.EINVAL;
    const number = viewOf(value).getInt32(0, true);
    const flag = FLAG_OF[name];
    if (flag !== undefined) {
      sock.flags = number === 0 ? sock.flags & ~flag : sock.flags | flag;
      return 0;
    }
    return this.#setNumber(sock, name, number);
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name === SO.BINDTODEVICE) return this.#deviceOf(sock, value);
    const number = numberOf(sock, name);
    if (number === null) return -ERRNO.ENOPROTOOPT;
    if (value.length < 4) return -ERRNO.EINVAL;
    viewOf(value).setInt32(0, number, true);
    if (name === SO.ERROR) sock.error = 0;
    return 4;
  }

  closed(): void {}

  #setNumber(sock: SockCommon, name: number, number: number): number {
    switch (name) {
      case SO.MARK:
        optionsOf(sock).mark = number;
        return routeAnew(sock);
      case SO.PRIORITY:
        optionsOf(sock).priority = number;
        return 0;
      // Doubled, for what is counted is truesize: Linux does it too, and says so in socket(7).
      case SO.SNDBUF:
        optionsOf(sock).sendLimitBytes = Math.max(2 * clamp(number, this.#limits.sendBytes()), MIN_SEND_BYTES);
        return 0;
      case SO.RCVBUF:
        optionsOf(sock).receiveLimitBytes = Math.max(2 * clamp(number, this.#limits.receiveBytes()), MIN_RECEIVE_BYTES);
        return 0;
      case SO.BINDTOIFINDEX:
        if (number !== 0 && this.#devices.current.byIndex(number) === null) return -ERRNO.ENODEV;
        sock.ifindex = number;
        return routeAnew(sock);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  /** A name, with or without a zero behind it; none: any device. */
  #bindToDevice(sock: SockCommon, value: Uint8Array): number {
    const zero = value.indexOf(0);
    const bytes = zero < 0 ? value : value.subarray(0, zero);
    if (bytes.length >= MAX_NAME_BYTES) return -ERRNO.EINVAL;
    const device = bytes.length === 0 ? null : this.#devices.current.byName(String.fromCharCode(...bytes));
    if (device === null && bytes.length > 0) return -ERRNO.ENODEV;
    sock.ifindex = device === null ? 0 : device.ifindex;
    return routeAnew(sock);
  }

  #deviceOf(sock: SockCommon, value: Uint8Array): number {
    if (sock.ifindex === 0) return 0;
    const device = this.#devices.current.byIndex(sock.ifindex);
    if (device === null) return -ERRNO.ENODEV;
    const lenBytes = device.name.length + 1;
    if (value.length < lenBytes) return -ERRNO.EINVAL;
    for (let i = 0; i < device.name.length; i++) value[i] = device.name.charCodeAt(i);
    value[lenBytes - 1] = 0;
    return lenBytes;
  }
}

/** Null: there is no such option. */
function numberOf(sock: SockCommon, name: number): number | null {
  const { options, ops } = sock;
  const flag = FLAG_OF[name];
  if (flag !== undefined) return (sock.flags & flag) === 0 ? 0 : 1;
  switch (name) {
    case SO.TYPE:
      return ops.type;
    case SO.ERROR:
      return sock.error;
    case SO.PROTOCOL:
      return sock.protocol;
    case SO.DOMAIN:
      return sock.family;
    case SO.ACCEPTCONN:
      return isStream(ops.type) && (sock.flags & SOCK_FLAG.LISTENING) !== 0 ? 1 : 0;
    case SO.MARK:
      return options === null ? 0 : options.mark;
    case SO.PRIORITY:
      return options === null ? 0 : options.priority;
    case SO.SNDBUF:
      return options === null ? SOCK_BUFFER_BYTES : options.sendLimitBytes;
    case SO.RCVBUF:
      return options === null ? SOCK_BUFFER_BYTES : options.receiveLimitBytes;
    case SO.BINDTOIFINDEX:
      return sock.ifindex;
    default:
      return null;
  }
}

function optionsOf(sock: SockCommon): SockOptions {
  sock.options ??= new SockOptions();
  return sock.options;
}

/** What its route was looked up by has changed: no dst is of generation 0, so it is asked for again. Linux's `sk_dst_reset`. */
function routeAnew(sock: SockCommon): number {
  if (sock.dst !== null) sock.dst.generation = 0;
  return 0;
}

function isStream(type: number): boolean {
  return type === SOCK_TYPE.STREAM || type === SOCK_TYPE.SEQPACKET || type === SOCK_TYPE.DCCP;
}

/** Negative ones are very large, as in Linux. */
function clamp(number: number, maxBytes: number): number {
  return Math.min(number >>> 0, maxBytes);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
