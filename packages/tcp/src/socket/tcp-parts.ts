import type { DstUse, ModuleContext, NetError, ObjectSpec, Objects, SockCommon, SockOps } from '@softnet/contract';
import { SOCK_FLAG, SOCK_TYPE } from '@softnet/contract';
import { layerOfUse } from '@softnet/inet';
import { Handshake } from '../handshake/handshake.ts';
import type { Listener } from '../handshake/listener.ts';
import type { TimeWait } from '../handshake/time-wait.ts';
import type { Connection } from '../machine/connection.ts';
import { Machine } from '../machine/machine.ts';
import { TCP_STATE } from '../machine/state.ts';
import { ReceiveQueues } from '../segment/receive-queue.ts';
import { SegmentReader } from '../segment/segment-reader.ts';
import { SegmentWriter } from '../segment/segment-writer.ts';
import { SendQueues } from '../segment/send-queue.ts';
import { CongestionChoice } from './congestion-choice.ts';
import { ConnectionLives } from './connection-lives.ts';
import { connectionOf } from './connection-of.ts';
import { ConnectionTimers } from './connection-timers.ts';
import { describeSocket } from './describe-socket.ts';
import { FROZEN_VERSION, Freezer } from './freezer.ts';
import { HandshakeWorld } from './handshake-world.ts';
import { IcmpErrors } from './icmp-errors.ts';
import { LevelOptions } from './level-options.ts';
import { MachineWorld } from './machine-world.ts';
import { MemoryBounds } from './memory-bounds.ts';
import { SegmentInput } from './segment-input.ts';
import { StreamCalls } from './stream-calls.ts';
import { StreamEnds } from './stream-ends.ts';
import { StreamReceive } from './stream-receive.ts';
import { StreamSend } from './stream-send.ts';
import type { TcpHost } from './tcp-host.ts';
import { hostOf } from './tcp-host.ts';
import type { Backlog } from './tcp-info.ts';
import { TcpOptions } from './tcp-options.ts';

/** TCP's rooms, each made once for a module and told of the others. */
export class TcpParts {
  readonly host: TcpHost;
  readonly bounds: MemoryBounds;
  readonly world: MachineWorld;
  readonly machine: Machine;
  readonly handshake: Handshake;
  readonly lives: ConnectionLives;
  readonly choice: CongestionChoice;
  readonly ends: StreamEnds;
  readonly sends: SendQueues;
  readonly receives: ReceiveQueues;
  readonly input: SegmentInput;
  readonly calls: StreamCalls;
  readonly sender: StreamSend;
  readonly receiver: StreamReceive;
  readonly options: TcpOptions;
  readonly levels: LevelOptions;
  readonly errors: IcmpErrors;
  readonly freezer: Freezer;
  /** Sockets that listen: parked when the module leaves. */
  readonly listeners: Objects<SockCommon>;
  /** All others of users: they go on, and hold it up. */
  readonly connections: Objects<SockCommon>;
  /** What is left of connections. */
  readonly timeWaits: Objects<SockCommon>;

  /** @param ops of its sockets. */
  constructor(ctx: ModuleContext, ops: SockOps) {
    const host = hostOf(ctx);
    this.host = host;
    this.sends = new SendQueues(host);
    this.receives = new ReceiveQueues(host);
    this.ends = new StreamEnds(host);
    const writer = new SegmentWriter(host, this.sends);
    this.bounds = new MemoryBounds(host.accounts, host.account, host.settings);
    this.world = new MachineWorld(host, writer, this.sends, this.receives, this.bounds);
    this.machine = new Machine(this.world);
    this.listeners = this.#defineListeners(ctx);
    this.connections = this.#defineConnections(ctx);
    this.timeWaits = this.#defineTimeWaits(ctx);
    this.choice = new CongestionChoice(ctx, host.settings);
    const { machine, world } = this;
    const timers = new ConnectionTimers(
      ctx,
      (conn) => machine.nextTimeoutMs(conn),
      (conn) => machine.onTimeout(conn),
    );
    const { bounds, ends, sends, receives, choice, connections, listeners, timeWaits } = this;
    const life = { host, bounds, ends, sends, receives, timers, choice, connections, timeWaits, handshake: () => this.handshake };
    this.lives = new ConnectionLives(life);
    world.machine = machine;
    world.timers = timers;
    world.lives = this.lives;
    const timeWaitOps = this.#timeWaitOps(ops.name);
    this.handshake = new Handshake(new HandshakeWorld(ctx, { ...life, world, lives: this.lives, writer, ops, timeWaitOps }), machine);
    this.levels = new LevelOptions(host, machine, world);
    this.options = new TcpOptions(host, machine, choice, backlogOf, (conn) => world.roomChanged(conn));
    this.errors = new IcmpErrors(host, machine, this.handshake);
    this.freezer = new Freezer(ctx, this, ops, timeWaitOps);
    this.sender = new StreamSend(machine, sends, host.settings);
    this.receiver = new StreamReceive(machine, receives);
    const { handshake, lives, levels } = this;
    this.calls = new StreamCalls({ host, machine, handshake, lives, choice, ends, receives, levels, connections, listeners });
    this.input = new SegmentInput(host.layers, new SegmentReader(host), machine, handshake, {
      parked: host.reasons['tcp.parked'],
      closed: host.reasons['tcp.closed'],
      filter: ctx.dropReason('tcp.filter', "its socket's filter does not let it in (SO_ATTACH_FILTER)"),
      far: ctx.dropReason('tcp.min-ttl', 'it came from farther away than its socket wants (RFC 5082; IP_MINTTL, IPV6_MINHOPCOUNT)'),
    });
  }

  /** Of users' sockets, whether they listen or not. */
  get #handOver(): Pick<ObjectSpec<SockCommon>, 'freeze' | 'thaws' | 'thaw' | 'settle' | 'left'> {
    return {
      freeze: (sock) => this.freezer.freeze(sock),
      thaws: [FROZEN_VERSION],
      thaw: (frozen) => this.freezer.thaw(frozen),
      settle: (sock) => this.freezer.settle(sock),
      left: (sock) => this.freezer.left(sock),
    };
  }

  #defineListeners(ctx: ModuleContext): Objects<SockCommon> {
    return ctx.objects<SockCommon>('listener', {
      drain: 'park',
      close: (sock, why) => this.#force(sock, why),
      park: (sock) => {
        if (sock.state === TCP_STATE.LISTEN) sock.flags |= SOCK_FLAG.PARKED;
      },
      resume: (sock) => {
        sock.flags &= ~SOCK_FLAG.PARKED;
      },
      describe: describeSocket,
      ...this.#handOver,
    });
  }

  #defineConnections(ctx: ModuleContext): Objects<SockCommon> {
    return ctx.objects<SockCommon>('connection', {
      drain: 'wait',
      close: (sock, why) => this.#force(sock, why),
      derivedMoved: (sock, before, now) => this.#derivedMoved(sock, before, now),
      describe: describeSocket,
      ...this.#handOver,
    });
  }

  #defineTimeWaits(ctx: ModuleContext): Objects<SockCommon> {
    return ctx.objects<SockCommon>('time-wait', {
      drain: 'wait',
      close: ({ ext }) => this.handshake.endTimeWait(ext as TimeWait),
      describe: describeSocket,
      freeze: (sock) => this.freezer.freezeTimeWait(sock),
      thaws: [FROZEN_VERSION],
      thaw: (frozen) => this.freezer.thawTimeWait(frozen),
      settle: (sock) => this.freezer.settleTimeWait(sock),
      left: (sock) => this.freezer.timeWaitLeft(sock),
    });
  }

  #force(sock: SockCommon, why: NetError): void {
    this.calls.abort(sock, -why.errno);
    // A child that nobody has accepted is its listener's, which forgets it when it is asked.
    if (sock.holdNext !== null) sock.holdKind!.release(sock);
  }

  #derivedMoved(sock: SockCommon, before: object, now: object): void {
    if (sock.dst === before) {
      sock.dst = now as DstUse;
      sock.layer = layerOfUse(this.host.layers, sock.dst, sock.layer?.family ?? sock.family) ?? sock.layer;
    } else this.choice.moved(connectionOf(sock), before, now);
  }

  #timeWaitOps(name: string): SockOps {
    return {
      name,
      type: SOCK_TYPE.STREAM,
      calls: null,
      input: (sock, skb) => this.input.timeWait(sock, skb),
      error: (_sock, _skb, report) => {
        // Nothing of it is in flight (RFC 5927 §4).
        report.refused = true;
      },
      released: () => undefined,
      yields: (sock, young, isChosen) => this.handshake.yields(sock, young, isChosen),
    };
  }
}

/** Of who listens. */
function backlogOf({ sock, listener }: Connection): Backlog | null {
  if (sock.state !== TCP_STATE.LISTEN) return null;
  const { accepted, backlog } = listener as Listener;
  return { waiting: accepted.count, most: backlog };
}
