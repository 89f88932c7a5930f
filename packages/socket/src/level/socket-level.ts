import type { ControlMessage, Message, OptionLevel, PacketOptions, Skb, SockCommon } from '@softnet/contract';
import { ERRNO, putControl, SO, SOCK_FLAG, SOL, SockOptions } from '@softnet/contract';
import type { FilterFacts } from '@softnet/skb';
import { loadFilter } from '@softnet/skb';
import type { BufferLimits } from './buffer-sizes.ts';
import { receiveBytes, sendBytes } from './buffer-sizes.ts';
import type { DeviceOption } from './device-option.ts';
import { FLAG_OF, TOLD_OF } from './option-bits.ts';
import type { PacketTimes } from './packet-times.ts';
import { TOLD, tellTime } from './packet-times.ts';
import { readOption } from './read-option.ts';
import { readInt, timeoutUs, viewOf, writeInt } from './words.ts';

/** Bits of SO_TIMESTAMPING that there are: Linux's `SOF_TIMESTAMPING_MASK`. */
const STAMPING_MASK = 0xffff;
/** Of `SockOptions.bufferLocks`. */
const LOCK = Object.freeze({ SEND: 1, RECEIVE: 2 } as const);
/** No timer waits for longer (Linux: `MAX_SCHEDULE_TIMEOUT` of a `close`). */
const MAX_LINGER_SEC = 0x7fffffff;

/** The level SOL_SOCKET: what sockets of every protocol have. Values as in Linux's ABI. */
export class SocketLevel implements OptionLevel {
  readonly level: number = SOL.SOCKET;
  readonly #device: DeviceOption;
  readonly #limits: BufferLimits;
  readonly #times: PacketTimes;
  readonly #facts: FilterFacts | undefined;

  /** @param facts what filters may ask of the kernel; not there: nothing. */
  constructor(device: DeviceOption, limits: BufferLimits, times: PacketTimes, facts?: FilterFacts) {
    this.#device = device;
    this.#limits = limits;
    this.#times = times;
    this.#facts = facts;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    switch (name) {
      case SO.BINDTODEVICE:
        return this.#device.byName(sock, value);
      case SO.ATTACH_FILTER:
        return attachFilter(sock, value, this.#facts);
      case SO.LINGER:
        return setLinger(sock, value);
      case SO.RCVTIMEO:
      case SO.RCVTIMEO_NEW:
      case SO.SNDTIMEO:
      case SO.SNDTIMEO_NEW:
        return setTimeout(sock, value, name === SO.RCVTIMEO || name === SO.RCVTIMEO_NEW);
      case SO.DETACH_FILTER:
        return detachFilter(sock);
    }
    if (value.length < 4) return -ERRNO.EINVAL;
    const number = viewOf(value).getInt32(0, true);
    const flag = FLAG_OF[name];
    if (flag === undefined) return this.#setNumber(sock, name, number);
    sock.flags = number === 0 ? sock.flags & ~flag : sock.flags | flag;
    return name === SO.DONTROUTE ? routeAnew(sock) : 0;
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    return name === SO.BINDTODEVICE ? this.#device.nameOf(sock, value) : readOption(sock, name, value);
  }

  closed(): void {}

  received(sock: SockCommon, skb: Skb, message: Message): void {
    const { options } = sock;
    if (options === null || (options.ancillary | options.timestamping) === 0) return;
    this.#times.tell(sock, skb.timeUs, message);
    if ((options.ancillary & TOLD.OVERFLOWS) !== 0 && options.overflows > 0) {
      writeInt(putControl(message, SOL.SOCKET, SO.RXQ_OVFL, 4), 0, options.overflows);
    }
    if ((options.ancillary & TOLD.MARK) !== 0) writeInt(putControl(message, SOL.SOCKET, SO.MARK, 4), 0, skb.mark);
  }

  stamped(stampUs: number, message: Message): void {
    this.#times.stamp(stampUs, message);
  }

  sending(_sock: SockCommon, { type, data }: ControlMessage, packet: PacketOptions): number {
    if (data.length !== 4) return -ERRNO.EINVAL;
    const number = readInt(data, 0);
    switch (type) {
      case SO.MARK:
        packet.hasMark = true;
        packet.mark = number;
        return 0;
      case SO.PRIORITY:
        packet.priority = number;
        return 0;
      case SO.TIMESTAMPING:
        packet.timestamping = number;
        return 0;
      default:
        return -ERRNO.EINVAL;
    }
  }

  #setNumber(sock: SockCommon, name: number, number: number): number {
    switch (name) {
      case SO.MARK:
        optionsOf(sock).mark = number;
        return routeAnew(sock);
      case SO.PRIORITY:
        optionsOf(sock).priority = number;
        return 0;
      case SO.SNDBUF:
      case SO.SNDBUFFORCE:
        optionsOf(sock).sendLimitBytes = sendBytes(number, name === SO.SNDBUF ? this.#limits.sendBytes() : undefined);
        optionsOf(sock).bufferLocks |= LOCK.SEND;
        return 0;
      case SO.RCVBUF:
      case SO.RCVBUFFORCE:
        optionsOf(sock).receiveLimitBytes = receiveBytes(number, name === SO.RCVBUF ? this.#limits.receiveBytes() : undefined);
        optionsOf(sock).bufferLocks |= LOCK.RECEIVE;
        return 0;
      case SO.BUF_LOCK:
        if ((number & ~(LOCK.SEND | LOCK.RECEIVE)) !== 0) return -ERRNO.EINVAL;
        optionsOf(sock).bufferLocks = number;
        return 0;
      case SO.INCOMING_CPU:
        optionsOf(sock).incomingCpu = number;
        return 0;
      case SO.BSDCOMPAT:
        return 0;
      case SO.RCVLOWAT:
        optionsOf(sock).receiveLowBytes = number < 0 ? 0x7fffffff : number || 1;
        return 0;
      case SO.PEEK_OFF:
        optionsOf(sock).peekOffsetBytes = number;
        return 0;
      case SO.BINDTOIFINDEX:
        return this.#device.byIndex(sock, number);
      case SO.LOCK_FILTER:
        return lockFilter(sock, number !== 0);
      default:
        return tell(sock, name, number);
    }
  }
}

/** Asks that something is told of each packet. */
function tell(sock: SockCommon, name: number, number: number): number {
  const bit = TOLD_OF[name];
  const isTime = name === SO.TIMESTAMP || name === SO.TIMESTAMPNS || name === SO.TIMESTAMP_NEW || name === SO.TIMESTAMPNS_NEW;
  const isStamping = name === SO.TIMESTAMPING || name === SO.TIMESTAMPING_NEW;
  if (bit === undefined && !isTime && !isStamping) return -ERRNO.ENOPROTOOPT;
  if (isStamping && (number & ~STAMPING_MASK) !== 0) return -ERRNO.EINVAL;
  const options = optionsOf(sock);
  if (isStamping) options.timestamping = number;
  else if (isTime) tellTime(options, name === SO.TIMESTAMP || name === SO.TIMESTAMP_NEW ? TOLD.TIMESTAMP : TOLD.TIMESTAMPNS, number !== 0);
  else options.ancillary = number === 0 ? options.ancillary & ~bit! : options.ancillary | bit!;
  sock.flags |= SOCK_FLAG.ANCILLARY;
  return 0;
}

/**
 * The instructions themselves, eight bytes each.
 * DEVIATION: Linux's `struct sock_fprog` points to them; there are no addresses here.
 */
function attachFilter(sock: SockCommon, value: Uint8Array, facts: FilterFacts | undefined): number {
  if ((sock.flags & SOCK_FLAG.FILTER_LOCKED) !== 0) return -ERRNO.EPERM;
  const filter = loadFilter(value, facts);
  if (filter === null) return -ERRNO.EINVAL;
  optionsOf(sock).filter = filter;
  return 0;
}

function detachFilter({ flags, options }: SockCommon): number {
  if ((flags & SOCK_FLAG.FILTER_LOCKED) !== 0) return -ERRNO.EPERM;
  if (options === null || options.filter === null) return -ERRNO.ENOENT;
  options.filter = null;
  return 0;
}

function lockFilter(sock: SockCommon, on: boolean): number {
  if (!on && (sock.flags & SOCK_FLAG.FILTER_LOCKED) !== 0) return -ERRNO.EPERM;
  if (on) sock.flags |= SOCK_FLAG.FILTER_LOCKED;
  return 0;
}

/** `struct linger`: whether, and for how many seconds. */
function setLinger(sock: SockCommon, value: Uint8Array): number {
  if (value.length < 8) return -ERRNO.EINVAL;
  const view = viewOf(value);
  const isOn = view.getInt32(0, true) !== 0;
  optionsOf(sock).lingerSec = isOn ? Math.min(view.getUint32(4, true), MAX_LINGER_SEC) : -1;
  return 0;
}

function setTimeout(sock: SockCommon, value: Uint8Array, receiving: boolean): number {
  const waitUs = timeoutUs(value);
  if (waitUs < 0) return waitUs;
  if (receiving) optionsOf(sock).receiveTimeoutUs = waitUs;
  else optionsOf(sock).sendTimeoutUs = waitUs;
  return 0;
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
