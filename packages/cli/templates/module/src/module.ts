import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { Module } from '@softnet/contract';
import { SkeletonEcho, SkeletonInput, SkeletonSocket } from './socket.ts';
import { emit, parse } from './wire.ts';

@Module({
  name: 'skeleton',
  version: '0.1.0',
  contract: '^1.0.0',
  summary: 'echo with connections',
  provides: [SkeletonEcho, SkeletonInput],
})
export default class SkeletonPlugin implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const byId = new Map<number, SkeletonSocket>();
    const opened = ctx.counter('opened');
    const malformed = ctx.dropReason('skeleton.malformed', 'not a packet of skeleton');
    const unexpected = ctx.dropReason('skeleton.unexpected', 'no reply to what was asked');
    const spec = { type: 'int', default: 200, min: 1, max: 60_000, unit: 'ms', summary: 'how long a reply is waited for' } as const;
    const timeout = ctx.sysctl.define('net.skeleton.timeout_ms', spec);
    // The module is not gone before the last of these is released.
    const connections = ctx.objects<SkeletonSocket>('connection', { drain: 'wait', close: (socket, why) => socket.close(why) });

    ctx.door(SkeletonEcho, {
      open(owner, transmit) {
        let connection = ctx.random.u32();
        while (byId.has(connection)) connection = ctx.random.u32();
        opened.value++;
        const socket: SkeletonSocket = new SkeletonSocket({
          nowUs: () => ctx.clock.nowUs,
          timeoutUs: () => timeout.value * 1000,
          timer: (fire) => ctx.timer(fire, undefined, 'skeleton.timeout'),
          send: (sequence, payload) => transmit(emit({ type: 'request', connection, sequence, payload })),
          closed: () => byId.delete(connection) && connections.release(socket),
        });
        connections.hold(socket, owner, 'skeleton.open');
        byId.set(connection, socket);
        return socket;
      },
    });
    const receive: SkeletonInput['receive'] = (bytes) => {
      const packet = parse(bytes);
      const socket = packet && byId.get(packet.connection);
      if (packet === undefined) malformed.count++;
      else if (socket?.machine.input(packet) === false) unexpected.count++;
      return packet === undefined || socket !== undefined;
    };
    ctx.contribute(SkeletonInput, { receive }, 'corridor');
  }
}
