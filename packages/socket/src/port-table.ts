import type { SockCommon } from '@softnet/contract';
import { ERRNO, SOCK_FLAG } from '@softnet/contract';
import type { ChosenPorts } from './chosen-ports.ts';
import { isConnected } from './flow-match.ts';
import { conflicts, keepsPort } from './port-conflict.ts';
import { isShared, PortHolders } from './port-holders.ts';
import { PortSlots } from './port-slots.ts';

const { PORT_CLAIMED, PORT_SHARED } = SOCK_FLAG;

/** Asks whether another socket has, and keeps, the flow that this one would have with this port. @param isChosen another port would do. */
export type HasFlow = (sock: SockCommon, localPort: number, isChosen: boolean) => boolean;

/**
 * Who has which port, by protocol. A socket's `protocol` and `localPort` stay as they are while it has one. Most ports have one holder, which then
 * is all that is kept of it.
 */
export class PortTable {
  readonly #chosen: ChosenPorts;
  readonly #hasFlow: HasFlow;
  readonly #holders = new PortSlots<SockCommon | PortHolders>();

  constructor(chosen: ChosenPorts, hasFlow: HasFlow) {
    this.#chosen = chosen;
    this.#hasFlow = hasFlow;
  }

  /** Ports that somebody has. */
  get count(): number {
    return this.#holders.count;
  }

  /**
   * The local end that its fields say; port 0 chooses one. Ports below 1024 are as free as others: there are no
   * privileges in this kernel. 0, -EADDRINUSE.
   */
  bind(sock: SockCommon): number {
    if (sock.localPort !== 0) {
      if (!this.#isFree(sock, sock.localPort, false)) return -ERRNO.EADDRINUSE;
    } else {
      const port = this.#chosen.any(sock, (each) => this.#isFree(sock, each, true));
      if (port === 0) return -ERRNO.EADDRINUSE;
      sock.localPort = port;
    }
    this.claim(sock);
    return 0;
  }

  /** The whole flow; port 0 chooses one. -EADDRNOTAVAIL: none is left, or another has the flow. -EADDRINUSE: others have the port. */
  connect(sock: SockCommon): number {
    if (sock.localPort !== 0) {
      if (this.#hasFlow(sock, sock.localPort, false)) return -ERRNO.EADDRNOTAVAIL;
      if (!this.has(sock) && !this.#isFree(sock, sock.localPort, false)) return -ERRNO.EADDRINUSE;
      this.claim(sock);
      return 0;
    }
    const port = this.#chosen.forFlow(sock, (each) => this.#canHave(sock, each));
    if (port === 0) return -ERRNO.EADDRNOTAVAIL;
    sock.localPort = port;
    sock.flags |= PORT_CLAIMED | PORT_SHARED;
    this.enter(sock);
    return 0;
  }

  has(sock: SockCommon): boolean {
    return (sock.flags & PORT_CLAIMED) !== 0;
  }

  /** Has it without being asked: an accepted connection has the port of its listener. Again, when its ends have changed: who is no connection any more shares it no longer. */
  claim(sock: SockCommon): void {
    if ((sock.flags & PORT_CLAIMED) !== 0) {
      if ((sock.flags & PORT_SHARED) === 0 || isConnected(sock)) return;
      this.release(sock);
    }
    sock.flags |= PORT_CLAIMED;
    this.enter(sock);
  }

  /** Writes down one that says already that it has its port. */
  enter(sock: SockCommon): void {
    const { protocol, localPort } = sock;
    const known = this.#holders.get(protocol, localPort);
    if (known === null) {
      this.#holders.set(sock);
      return;
    }
    let holders = known as PortHolders;
    if (!(known instanceof PortHolders)) {
      holders = new PortHolders(protocol, localPort);
      holders.add(known);
      this.#holders.set(holders);
    }
    holders.add(sock);
  }

  release(sock: SockCommon): void {
    if ((sock.flags & PORT_CLAIMED) === 0) return;
    const { protocol, localPort } = sock;
    const known = this.#holders.get(protocol, localPort)!;
    if (known instanceof PortHolders) {
      known.delete(sock);
      if (known.size === 0) this.#holders.delete(protocol, localPort);
    } else this.#holders.delete(protocol, localPort);
    sock.flags &= ~(PORT_CLAIMED | PORT_SHARED);
  }

  #isFree(sock: SockCommon, port: number, isChosen: boolean): boolean {
    const holders = this.#holders.get(sock.protocol, port);
    if (holders === null) return true;
    if (!(holders instanceof PortHolders)) return !conflicts(sock, holders, isChosen);
    for (const holder of holders.all) if (conflicts(sock, holder, isChosen)) return false;
    return true;
  }

  /** May it be chosen for this connection? It may share it with others for which it was, if both ends tell them apart; all are not looked at. */
  #canHave(sock: SockCommon, port: number): boolean {
    const holders = this.#holders.get(sock.protocol, port);
    if (holders === null) return true;
    if (!(holders instanceof PortHolders)) {
      if (!isShared(holders) && keepsPort(holders, sock)) return false;
    } else if (holders.exclusive > 0) {
      for (const holder of holders.all) if (!isShared(holder) && keepsPort(holder, sock)) return false;
    }
    return !this.#hasFlow(sock, port, true);
  }
}
