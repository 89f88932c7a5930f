import type { DeviceTraffic, ModuleContext, Port, SockCommon, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceListener, ETHERTYPE, Module, SOCK_TYPE, SocketProtocol, Tap } from '@softnet/contract';
import { LinkEnds } from './link-ends.ts';
import { LookerOn } from './looker-on.ts';
import { Memberships } from './memberships.ts';
import { hostOf, PACKET_NEEDS } from './packet-host.ts';
import type { PacketParts } from './packet-sockets.ts';
import { PacketSockets } from './packet-sockets.ts';
import { Wakings } from './wakings.ts';

/**
 * Packet sockets (Linux's AF_PACKET): frames as devices have them, received and sent, with or without their link headers. Users' sockets go on while it
 * leaves, and hold it up.
 */
@Module({
  name: 'packet',
  version: '1.0.0',
  summary: 'packet sockets: frames as devices have them',
  requires: PACKET_NEEDS,
  provides: [SocketProtocol, Tap, DeviceListener],
})
export class PacketModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const parts = makeParts(ctx);
    const { looker, ends } = parts;
    const sent = ctx.counter('packet.out');
    for (const type of [SOCK_TYPE.RAW, SOCK_TYPE.DGRAM]) {
      const ops = new PacketSockets(type, parts, sent);
      ctx.contribute(
        SocketProtocol,
        {
          ...{ name: 'packet', family: ADDRESS_FAMILY.PACKET, type, protocol: -1, usual: false },
          open: (_family, owner, ethertype) => ops.open(owner, ethertype),
        },
        'door',
      );
    }
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap: (skb, device) => looker.look(skb, device) }, 'corridor');
    ctx.contribute(DeviceListener, { deviceChanged: (device, event) => ends.deviceChanged(device, event) }, 'corridor');
  }
}

function makeParts(ctx: ModuleContext): PacketParts {
  const host = hostOf(ctx);
  const wakings = new Wakings(ctx.log, (run) => ctx.poll({ poll: run }, 'packet.wake'));
  const looker = new LookerOn(host, wakings, ctx.counter('packet.in'), ctx.counter('packet.lost'));
  const memberships = new Memberships(host);
  return {
    ...{ host, wakings, looker, memberships },
    shut: ctx.dropReason('packet.shut', 'its packet socket was closed before it was read'),
    ends: new LinkEnds(host, looker, memberships, wakings),
    lingering: ctx.tally('packet socket with packets to be sent', 'packet.close'),
    sockets: ctx.objects<SockCommon>('socket', {
      drain: 'wait',
      close: (sock, why) => (sock.ops as PacketSockets).closeBy(sock, why),
      describe: (sock) => describe(sock, host.traffic),
    }),
  };
}

/** 'packet 0x0003 of eth0' */
function describe({ localPort, ifindex }: SockCommon, traffic: Port<DeviceTraffic>): string {
  const device = ifindex === 0 ? 'all devices' : (traffic.current.byIndex(ifindex)?.name ?? 'no device');
  return `packet 0x${localPort.toString(16).padStart(4, '0')} of ${device}`;
}
