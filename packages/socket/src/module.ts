import type { Frozen, ModuleContext, SoftnetModule } from '@softnet/contract';
import {
  DeviceTraffic,
  Module,
  NetError,
  NetworkLayer,
  OptionLevel,
  optional,
  SocketDemux,
  SocketPorts,
  SocketProtocol,
  Sockets,
} from '@softnet/contract';
import { Demux } from './demux.ts';
import { FlowHash } from './flow-hash.ts';
import { FlowTable } from './flow-table.ts';
import { SocketDoor } from './open-socket.ts';
import { PortTable } from './port-table.ts';
import type { BufferLimits } from './socket-level.ts';
import { SocketLevel } from './socket-level.ts';

/**
 * Families, ports and the flow table: what all protocols with sockets share. While it leaves nobody opens or binds one, and
 * those that exist get their packets.
 */
@Module({
  name: 'socket',
  version: '1.0.0',
  summary: 'socket families, ports, and which socket a packet is for',
  requires: [optional(DeviceTraffic)],
  provides: [Sockets, SocketDemux, SocketPorts, OptionLevel],
  registry: true,
})
export class SocketModule implements SoftnetModule {
  #flows!: FlowTable;
  #ports!: PortTable;

  start(ctx: ModuleContext): void {
    const range = ctx.sysctl.define('net.ipv4.ip_local_port_range', {
      ...{ type: 'ints', default: [32768, 60999], min: 1, max: 65535 },
      summary: 'lowest and highest port for sockets that name none, of both families',
    });
    this.#flows = new FlowTable(new FlowHash(ctx.random));
    this.#ports = new PortTable(ctx.random, () => range.value);
    const demux = new Demux(this.#flows, this.#ports, ctx.current);
    const protocols = ctx.contributions(SocketProtocol);
    ctx.door(Sockets, new SocketDoor(protocols, ctx.contributions(NetworkLayer), ctx.current));
    ctx.corridor(SocketDemux, demux);
    ctx.door(SocketPorts, demux);
    ctx.contribute(OptionLevel, new SocketLevel(ctx.port(DeviceTraffic), bufferLimits(ctx)), 'corridor');
  }

  /** Who is in the tables is no plain data: it is its protocol's. */
  freeze(): Frozen {
    const { count } = this.#flows;
    if (count + this.#ports.count > 0) {
      throw new NetError('EBUSY', `${count} sockets are in the flow table, which cannot be handed over yet: close them first`);
    }
    return { version: 1, data: null };
  }

  /** Empty tables: there is nothing to take over. */
  thaw(): void {}
}

function bufferLimits({ sysctl }: ModuleContext): BufferLimits {
  const bytes = { type: 'int', unit: 'bytes', default: 212992, min: 2048, max: 0x3fffffff } as const;
  const send = sysctl.define('net.core.wmem_max', { ...bytes, summary: 'most that SO_SNDBUF sets, before it is doubled' });
  const receive = sysctl.define('net.core.rmem_max', { ...bytes, summary: 'most that SO_RCVBUF sets, before it is doubled' });
  return { sendBytes: () => send.value, receiveBytes: () => receive.value };
}
