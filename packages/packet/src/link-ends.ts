import type { NetDevice, SockAddress, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, ERRNO } from '@softnet/contract';
import { setOwnAddress } from './link-address.ts';
import type { LookerOn } from './looker-on.ts';
import type { Memberships } from './memberships.ts';
import type { PacketHost } from './packet-host.ts';
import { stateOf } from './packet-state.ts';
import type { Wakings } from './wakings.ts';

/** As Linux says it of a device that was taken out. */
const NO_MORE = -1;

/** To which interface and ethertype sockets are bound, and what becomes of that as devices come and go. */
export class LinkEnds {
  readonly #host: PacketHost;
  readonly #looker: LookerOn;
  readonly #memberships: Memberships;
  readonly #wakings: Wakings;

  constructor(host: PacketHost, looker: LookerOn, memberships: Memberships, wakings: Wakings) {
    this.#host = host;
    this.#looker = looker;
    this.#memberships = memberships;
    this.#wakings = wakings;
  }

  /** As Linux: an ethertype of 0 leaves it the one that it has; of a device that is down, the next call says ENETDOWN. 0, -EINVAL, -ENODEV. */
  bind(sock: SockCommon, { family, ifindex, port }: SockAddress): number {
    if (stateOf(sock).closed) return -ERRNO.EBADF;
    if (family !== ADDRESS_FAMILY.PACKET) return -ERRNO.EINVAL;
    const device = ifindex === 0 ? null : this.#host.traffic.current.byIndex(ifindex);
    if (device === null && ifindex !== 0) return -ERRNO.ENODEV;
    const ethertype = port & 0xffff || sock.localPort;
    const isOther = ethertype !== sock.localPort || ifindex !== sock.ifindex;
    sock.localPort = ethertype;
    sock.protocol = ethertype;
    sock.ifindex = ifindex;
    setOwnAddress(sock, device);
    if (isOther && ethertype !== 0 && device !== null && (device.flags & DEVICE_FLAG.UP) === 0) this.#fail(sock);
    return 0;
  }

  /** Hears of every device (`DeviceListener`). */
  deviceChanged(device: NetDevice, event: number): void {
    const { DOWN, UNREGISTER, ADDRESS } = DEVICE_EVENT;
    if (event !== DOWN && event !== UNREGISTER && event !== ADDRESS) return;
    for (const sock of this.#looker.sockets) {
      if (event === UNREGISTER) this.#memberships.forget(sock, device.ifindex);
      if (sock.ifindex !== device.ifindex) continue;
      if (event === ADDRESS) setOwnAddress(sock, device);
      else {
        // One that is taken out was down before, and that was said.
        if (event === DOWN && sock.localPort !== 0) this.#fail(sock);
        if (event === UNREGISTER) sock.ifindex = NO_MORE;
      }
    }
  }

  #fail(sock: SockCommon): void {
    sock.error = ERRNO.ENETDOWN;
    this.#wakings.later(stateOf(sock));
  }
}
