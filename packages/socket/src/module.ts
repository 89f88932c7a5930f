import type { Contributions, Frozen, ModuleContext, SockCommon, SoftnetModule } from '@softnet/contract';
import {
  DeviceTraffic,
  Module,
  NetError,
  NetworkLayer,
  OptionLevel,
  optional,
  SocketDemux,
  SocketHolder,
  SocketPorts,
  SocketProtocol,
  Sockets,
} from '@softnet/contract';
import { HalfSipHash, sipKey } from '@softnet/inet';
import { ChosenPorts } from './chosen-ports.ts';
import { Demux } from './demux.ts';
import { FlowHash } from './flow-hash.ts';
import { FlowTable } from './flow-table.ts';
import type { BufferLimits } from './level/buffer-sizes.ts';
import { DeviceOption } from './level/device-option.ts';
import { PacketTimes } from './level/packet-times.ts';
import { SocketLevel } from './level/socket-level.ts';
import { SocketDoor } from './open-socket.ts';
import { PortTable } from './port-table.ts';

/** Of what is handed over. */
const LAYOUT = 2;

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
  #demux!: Demux;
  #holders!: Contributions<SocketHolder>;

  start(ctx: ModuleContext): void {
    const range = ctx.sysctl.define('net.ipv4.ip_local_port_range', {
      ...{ type: 'ints', default: [32768, 60999], min: 1, max: 65535, rising: true },
      summary: 'lowest and highest port for sockets that name none, of both families',
    });
    const chosen = new ChosenPorts(ctx.random, new HalfSipHash(sipKey(ctx.random)), () => range.value);
    this.#flows = new FlowTable(new FlowHash(new HalfSipHash(sipKey(ctx.random))), {
      lookups: ctx.counter('socket.lookups'),
      probes: ctx.counter('socket.probes'),
    });
    this.#ports = new PortTable(chosen, (sock, port, isChosen) => this.#demux.isFlowTaken(sock, port, isChosen));
    this.#demux = new Demux(this.#flows, this.#ports, ctx.current);
    this.#holders = ctx.contributions(SocketHolder);
    const protocols = ctx.contributions(SocketProtocol);
    ctx.door(Sockets, new SocketDoor(protocols, ctx.contributions(NetworkLayer), ctx.current));
    ctx.corridor(SocketDemux, this.#demux);
    ctx.door(SocketPorts, this.#demux);
    ctx.contribute(OptionLevel, this.#makeLevel(ctx), 'corridor');
  }

  #makeLevel(ctx: ModuleContext): SocketLevel {
    const boot = ctx.sysctl.define('net.core.boot_date', {
      ...{ type: 'int', unit: 'seconds', default: 0, min: 0, max: Number.MAX_SAFE_INTEGER },
      summary:
        'the date of the kernel’s time zero, in seconds since 1970, for time stamps that sockets are told; 0: they count from the boot',
    });
    const place = (sock: SockCommon): void => {
      if (this.#flows.has(sock)) this.#flows.insert(sock);
    };
    const devices = ctx.port(DeviceTraffic);
    const facts = {
      random: () => ctx.random.u32(),
      hardwareType: (ifindex: number) => devices.current.byIndex(ifindex)?.type ?? 0,
    };
    return new SocketLevel(new DeviceOption(devices, place), bufferLimits(ctx), new PacketTimes(ctx.clock, () => boot.value), facts);
  }

  /** Who is in the tables is no plain data: it is its protocol's, and the next generation finds it there. */
  freeze(): Frozen {
    const lost = this.#flows.count - count(this.#holders.items);
    if (lost > 0) {
      const sentence = `${lost} sockets are in the flow table whose protocol does not contribute a SocketHolder: they would be lost; close them first`;
      throw new NetError('EBUSY', sentence);
    }
    return { version: LAYOUT, data: null };
  }

  thaw({ version }: Frozen): void {
    if (version !== LAYOUT) throw new NetError('EBUSY', `socket cannot take over layout ${version}: it knows ${LAYOUT}`);
    this.#demux.follow(this.#holders);
  }
}

/** Sockets that a next generation would find. */
function count(holders: readonly SocketHolder[]): number {
  let found = 0;
  for (const { sockets } of holders) for (const sock of sockets) if (sock.hash !== 0) found++;
  return found;
}

function bufferLimits({ sysctl }: ModuleContext): BufferLimits {
  const bytes = { type: 'int', unit: 'bytes', default: 212992, min: 2048, max: 0x3fffffff } as const;
  const send = sysctl.define('net.core.wmem_max', { ...bytes, summary: 'most that SO_SNDBUF sets, before it is doubled' });
  const receive = sysctl.define('net.core.rmem_max', { ...bytes, summary: 'most that SO_RCVBUF sets, before it is doubled' });
  return { sendBytes: () => send.value, receiveBytes: () => receive.value };
}
