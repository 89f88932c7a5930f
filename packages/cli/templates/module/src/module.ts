import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { FrozenMachine } from './machine.ts';
import type { SkeletonHome } from './socket.ts';
import { SkeletonEcho, SkeletonInput, SkeletonSocket } from './socket.ts';
import { parse } from './wire.ts';

const TIMEOUT_MS = Object.freeze({ type: 'int', default: 200, min: 1, max: 60_000, unit: 'ms' } as const);

@Module({ name: 'skeleton', version: '0.1.0', contract: '^1.0.0', summary: 'echo', provides: [SkeletonEcho, SkeletonInput] })
export default class SkeletonPlugin implements SoftnetModule {
  /** Of this instance: at module level, all kernels of the process would share it. */
  readonly #byId = new Map<number, SkeletonSocket>();

  start(ctx: ModuleContext): void {
    const malformed = ctx.dropReason('skeleton.malformed', 'not a packet of skeleton');
    const unexpected = ctx.dropReason('skeleton.unexpected', 'no reply to what was asked');
    const timeout = ctx.sysctl.define('net.skeleton.timeout_ms', { ...TIMEOUT_MS, summary: 'how long a reply is waited for' });
    const home: SkeletonHome = {
      timeoutAtUs: () => ctx.clock.nowUs + timeout.value * 1000,
      timer: (fire) => ctx.timer(() => fire(ctx.clock.nowUs), undefined, 'skeleton.timeout'),
      closed: (socket) => this.#byId.delete(socket.machine.id) && connections.release(socket),
    };
    // The module is not gone before the last of these is released. A replace hands them over: freeze, thaw, settle, left.
    const connections = ctx.objects<SkeletonSocket>('connection', {
      drain: 'wait',
      close: (socket) => socket.close(),
      describe: ({ machine }) => `${machine.id.toString(16)} ${machine.state}`,
      freeze: ({ machine }) => ({ version: 1, data: machine.freeze() }),
      thaws: [1],
      thaw: ({ data }) => new SkeletonSocket(home, data as FrozenMachine),
      settle: (socket) => this.#byId.set(socket.machine.id, socket) && socket.wait(),
      left: (socket) => this.#byId.delete(socket.machine.id) && socket.timer.cancel(),
    });

    ctx.door(SkeletonEcho, {
      open: (user) => {
        let id = ctx.random.u32();
        while (this.#byId.has(id)) id = ctx.random.u32();
        const socket = new SkeletonSocket(home, { id });
        connections.hold(socket, user, 'skeleton.open');
        this.#byId.set(id, socket);
        return socket;
      },
    });
    const receive: SkeletonInput['receive'] = (bytes) => {
      const packet = parse(bytes);
      const socket = packet && this.#byId.get(packet.connection);
      if (packet === undefined) malformed.count++;
      else if (socket?.machine.input(packet) === false) unexpected.count++;
      return packet === undefined || socket !== undefined;
    };
    ctx.contribute(SkeletonInput, { receive }, 'corridor');
  }
}
