import type { ControlMessage, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV6_OPTION, PacketOptions, SOL } from '@softnet/contract';
import type { DatagramHost } from './datagram-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

/** What the control messages of a message to be sent say: each is its level's to read. */
export class SentControl {
  /** Of the message read last. */
  readonly packet = new PacketOptions();
  readonly #host: Pick<DatagramHost, 'levels' | 'current'>;

  constructor(host: Pick<DatagramHost, 'levels' | 'current'>) {
    this.#host = host;
  }

  /** 0, or -errno. Levels that nobody is, and the other family's, say nothing, as in Linux. @param family of the packet. */
  read(sock: SockCommon, first: ControlMessage, family: number): number {
    this.packet.reset();
    for (let each: ControlMessage | null = first; each !== null; each = each.next) {
      if (!concerns(sock, each, family)) continue;
      const said = this.#ask(sock, each);
      if (said < 0) return said;
    }
    return 0;
  }

  #ask(sock: SockCommon, control: ControlMessage): number {
    const { items, owners } = this.#host.levels;
    const { current } = this.#host;
    for (let i = items.length - 1; i >= 0; i--) {
      const level = items[i]!;
      if (level.level !== control.level) continue;
      if (level.sending === undefined) return 0;
      const caller = current.id;
      current.id = owners[i]!;
      const said = level.sending(sock, control, this.packet);
      current.id = caller;
      return said;
    }
    return 0;
  }
}

/** The packet's own family's; and IPV6_PKTINFO of a dual-stack socket's IPv4 packets, whose source is a mapped one. Of packet sockets only SOL_SOCKET's. */
function concerns(sock: SockCommon, { level, type }: ControlMessage, family: number): boolean {
  if (family !== INET && family !== INET6) return level === SOL.SOCKET;
  if (level === SOL.IP) return family === INET;
  if (level === SOL.IPV6) return family === INET6 || (sock.family === INET6 && type === IPV6_OPTION.PKTINFO);
  return true;
}
