import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, Module, NetError, RawTap, SOCK_FLAG, SOCK_TYPE, SocketProtocol } from '@softnet/contract';
import { DATAGRAM_NEEDS, DatagramSockets } from '@softnet/inet';
import { RawProtocol } from './raw-protocol.ts';
import { RawTable } from './raw-table.ts';

const MAX_PROTOCOL = 255;

/** Raw sockets of both families (Linux's raw(7)): whatever protocol, beside those that have it. They go on while it leaves, and hold it up. */
@Module({
  name: 'raw',
  version: '1.0.0',
  summary: 'raw sockets over IPv4 and IPv6',
  requires: DATAGRAM_NEEDS,
  provides: [SocketProtocol, RawTap],
})
export class RawModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const protocol = new RawProtocol(ctx.random, ctx.dropReason('raw.checksum', 'its checksum is wrong (IPV6_CHECKSUM, RFC 3542 §3.1)'));
    const table = new RawTable(protocol);
    const reasons = {
      full: ctx.dropReason('raw.full', 'its raw socket has as much as SO_RCVBUF allows'),
      shut: ctx.dropReason('raw.shut', 'its raw socket was shut for receiving, or closed before it was read'),
    };
    const sockets = new DatagramSockets(ctx, protocol, reasons, table);
    ctx.contribute(RawTap, table, 'corridor');
    ctx.contribute(
      SocketProtocol,
      {
        ...{ name: 'raw', family: 0, type: SOCK_TYPE.RAW, protocol: -1, usual: false },
        open: (family, owner, asked) => {
          checkProtocol(asked);
          const sock = sockets.open(family, owner, asked);
          // As Linux says it of them; they have no ports to share.
          sock.flags |= SOCK_FLAG.REUSEADDR;
          // An IPv6 one has nothing of IPv4's.
          if (family === ADDRESS_FAMILY.INET6) sock.flags |= SOCK_FLAG.V6ONLY;
          return sock;
        },
      },
      'door',
    );
  }
}

/** @throws NetError EPROTONOSUPPORT: a raw socket has no usual protocol; EINVAL: no number of IP's. */
function checkProtocol(asked: number): void {
  const syscall = { syscall: 'socket' };
  if (asked === 0) throw new NetError('EPROTONOSUPPORT', 'a raw socket is one of a protocol: name its number, 1 to 255', syscall);
  if (asked < 0 || asked > MAX_PROTOCOL) throw new NetError('EINVAL', `IP has no protocol ${asked}: they are 1 to 255`, syscall);
}
