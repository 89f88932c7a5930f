import type { SockCommon } from '@softnet/contract';
import { SOCK_FLAG } from '@softnet/contract';
import type { PortHolder } from './port-slots.ts';

/** So many stand in an array that has room for no other; more in a set. */
const FEW = 32;

/** Who has one port, where they are several. Those with PORT_SHARED are connections for which it was chosen: it may be chosen for others too, while they alone have it. */
export class PortHolders implements PortHolder {
  readonly protocol: number;
  readonly localPort: number;
  all: readonly SockCommon[] | Set<SockCommon> = [];
  /** Those that are there without PORT_SHARED. */
  exclusive = 0;

  constructor(protocol: number, localPort: number) {
    this.protocol = protocol;
    this.localPort = localPort;
  }

  get size(): number {
    return this.all instanceof Set ? this.all.size : this.all.length;
  }

  add(sock: SockCommon): void {
    if (!isShared(sock)) this.exclusive++;
    if (!(this.all instanceof Set) && this.all.length < FEW) this.all = this.all.concat(sock);
    else if (this.all instanceof Set) this.all.add(sock);
    else this.all = new Set(this.all).add(sock);
  }

  /** One that is there. */
  delete(sock: SockCommon): void {
    if (!isShared(sock)) this.exclusive--;
    if (this.all instanceof Set) this.all.delete(sock);
    else this.all = without(this.all, sock);
  }
}

export function isShared({ flags }: SockCommon): boolean {
  return (flags & SOCK_FLAG.PORT_SHARED) !== 0;
}

/** Of just the length: `filter` leaves room for more. */
function without(socks: readonly SockCommon[], sock: SockCommon): readonly SockCommon[] {
  const at = socks.indexOf(sock);
  return at < 0 ? socks : socks.slice(0, at).concat(socks.slice(at + 1));
}
