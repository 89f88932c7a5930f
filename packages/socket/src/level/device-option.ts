import type { DeviceTraffic, Port, SockCommon } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';

const MAX_NAME_BYTES = 16;

/** SO_BINDTODEVICE and SO_BINDTOIFINDEX. */
export class DeviceOption {
  readonly #devices: Port<DeviceTraffic>;
  readonly #place: (sock: SockCommon) => void;

  /** @param place puts a socket, if it is in the flow table, where its fields say. */
  constructor(devices: Port<DeviceTraffic>, place: (sock: SockCommon) => void) {
    this.#devices = devices;
    this.#place = place;
  }

  /** A name, with or without a zero behind it; none: any device. As in Linux, what is behind the longest that there can be is not looked at. */
  byName(sock: SockCommon, value: Uint8Array): number {
    const zero = value.indexOf(0);
    const bytes = value.subarray(0, Math.min(zero < 0 ? value.length : zero, MAX_NAME_BYTES - 1));
    const device = bytes.length === 0 ? null : this.#devices.current.byName(String.fromCharCode(...bytes));
    if (device === null && bytes.length > 0) return -ERRNO.ENODEV;
    return this.#bind(sock, device === null ? 0 : device.ifindex);
  }

  /** As in Linux, whether there is one is not asked. */
  byIndex(sock: SockCommon, ifindex: number): number {
    return ifindex < 0 ? -ERRNO.EINVAL : this.#bind(sock, ifindex);
  }

  nameOf(sock: SockCommon, value: Uint8Array): number {
    if (sock.ifindex === 0) return 0;
    const device = this.#devices.current.byIndex(sock.ifindex);
    if (device === null) return -ERRNO.ENODEV;
    const lenBytes = device.name.length + 1;
    // As Linux: room for the longest, however short it is.
    if (value.length < MAX_NAME_BYTES) return -ERRNO.EINVAL;
    for (let i = 0; i < device.name.length; i++) value[i] = device.name.charCodeAt(i);
    value[lenBytes - 1] = 0;
    return lenBytes;
  }

  /** What its route was looked up by has changed: no dst is of generation 0, so it is asked for again. */
  #bind(sock: SockCommon, ifindex: number): number {
    sock.ifindex = ifindex;
    this.#place(sock);
    if (sock.dst !== null) sock.dst.generation = 0;
    return 0;
  }
}
