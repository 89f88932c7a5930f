import type { ModuleContext, ObjectSpec, Objects, SoftnetModule } from '@softnet/contract';
import { Module, NetError, one } from '@softnet/contract';
import type { Packet } from '../exchange/service.ts';
import { Exchange, ExchangeDoor, ProtocolDoor } from '../exchange/service.ts';
import type { TalkSettings } from './machine/output.ts';
import type { TalkConnection, TalkListener, TalkSocket } from './service.ts';
import { Talk } from './service.ts';
import { Connection } from './socket/connection.ts';
import { ConnectionHandle } from './socket/connection-handle.ts';
import { Linger } from './socket/linger.ts';
import { Listener } from './socket/listener.ts';
import { ListenerHandle } from './socket/listener-handle.ts';
import { Socket } from './socket/socket.ts';
import { SocketHandle } from './socket/socket-handle.ts';
import type { TalkCounters, TalkDrops, TalkHost } from './socket/talk-host.ts';
import { emitSegment, HELLO, parseSegment, resetFor, TALK } from './wire.ts';

/**
 * A stateful protocol for tests, until TCP exists: connections with handshake, retransmission and close, listeners that
 * park, unconnected sockets. Every object can be handed over.
 */
@Module({
  name: 'talk',
  version: '1.0.0',
  summary: 'connections, listeners and sockets for tests',
  requires: [one(Exchange), one(ExchangeDoor)],
  provides: [Talk, ProtocolDoor],
})
export class TalkModule implements SoftnetModule {
  #host!: TalkHost;

  start(ctx: ModuleContext): void {
    const exchange = ctx.port(Exchange);
    const binding = ctx.port(ExchangeDoor);
    ctx.skbSlot('talk');
    const host: TalkHost = {
      owner: ctx.owner,
      exchange,
      settings: defineSettings(ctx),
      counters: makeCounters(ctx),
      drops: makeDrops(ctx),
      doors: new Map(),
      // Listeners first: what is handed over finds the listener that it will come out of.
      listeners: ctx.objects('listener', this.#listeners()),
      connections: ctx.objects('connection', this.#connections()),
      sockets: ctx.objects('socket', this.#sockets()),
      lingers: ctx.objects('linger', this.#lingers()),
      get nowUs() {
        return ctx.clock.nowUs;
      },
      timer: (fire, arg, place) => ctx.timer(fire, arg, place),
      firstSeq: () => ctx.random.u32() | 0,
    };
    this.#host = host;
    ctx.door(Talk, {
      listen: (port, options = {}) => listen(host, port, options, (body) => binding.current.bind(TALK, port, body)),
      connect: (address, port, options = {}) => connect(host, address, port, options.owner),
      socket: (port = 0, options = {}) => openSocket(host, port, options.owner),
    });
    ctx.contribute(ProtocolDoor, { protocol: TALK, unmatched: (packet) => unmatched(host, packet) }, 'door');
  }

  #listeners(): ObjectSpec<Listener> {
    return {
      drain: 'park',
      close: (listener, why) => listener.end(why),
      // Parked without code of its own: hellos come by the protocol's door, which the kernel shuts and opens.
      describe: ({ port }) => `listens on ${port}`,
      freeze: (listener) => listener.freeze(),
      thaws: [1],
      thaw: (frozen) => Listener.thaw(this.#host, frozen),
      settle: (listener) => listener.takePlace(),
      left: (listener) => listener.left(),
    };
  }

  #connections(): ObjectSpec<Connection> {
    return {
      drain: 'wait',
      close: (connection, why) => connection.kill(why),
      describe: (connection) => `${connection.label} ${connection.state}`,
      freeze: (connection) => connection.freeze(),
      thaws: [1],
      thaw: (frozen) => Connection.thaw(this.#host, frozen),
      settle: (connection) => connection.takePlace(),
      left: (connection) => connection.left(),
    };
  }

  #sockets(): ObjectSpec<Socket> {
    return {
      drain: 'wait',
      close: (socket, why) => socket.end(why),
      describe: ({ port }) => `socket ${port}`,
      freeze: (socket) => socket.freeze(),
      thaws: [1],
      thaw: (frozen) => Socket.thaw(this.#host, frozen),
      settle: (socket) => socket.takePlace(),
      left: (socket) => socket.left(),
    };
  }

  #lingers(): ObjectSpec<Linger> {
    return {
      drain: 'keep',
      close: (linger) => linger.end(),
      describe: ({ label }) => label,
      freeze: (linger) => linger.freeze(),
      thaws: [1],
      thaw: (frozen) => Linger.thaw(this.#host, frozen),
      settle: (linger) => linger.takePlace(),
      left: (linger) => linger.left(),
    };
  }
}

function listen(
  host: TalkHost,
  port: number,
  { owner = 'user', backlog = 16 }: { readonly owner?: string; readonly backlog?: number },
  bind: (listener: Listener) => ReturnType<ExchangeDoor['bind']>,
): TalkListener {
  if (!(port > 0)) throw new NetError('EINVAL', `a listener needs a port from 1 to 65535, got ${port}`, { syscall: 'listen' });
  const listener = new Listener(host, port, backlog);
  const handle = new ListenerHandle(listener, owner);
  holding(host.listeners, listener, handle, 'talk.listen', () => listener.begin(bind(listener)));
  return handle;
}

function connect(host: TalkHost, remote: number, remotePort: number, owner = 'user'): TalkConnection {
  const connection = new Connection(host, { protocol: TALK, localPort: 0, remote, remotePort }, 'hello-sent');
  const handle = new ConnectionHandle(connection, owner);
  host.connections.hold(connection, handle, 'talk.connect');
  connection.begin('talk.connect');
  return handle;
}

function openSocket(host: TalkHost, port: number, owner = 'user'): TalkSocket {
  const socket = new Socket(host, port);
  const handle = new SocketHandle(socket, owner);
  host.sockets.hold(socket, handle, 'talk.socket');
  socket.begin();
  return handle;
}

/** Takes the hold before anything else is touched: it is what may be refused. */
function holding(list: Objects<Listener>, listener: Listener, owner: ListenerHandle, place: string, begin: () => void): void {
  list.hold(listener, owner, place);
  try {
    begin();
  } catch (error) {
    list.release(listener);
    throw error;
  }
}

/** Packets of no object: somebody new, or somebody late. */
function unmatched(host: TalkHost, packet: Packet): void {
  const segment = parseSegment(packet.payload);
  if (segment === undefined) {
    host.drops.garbage.count++;
    return;
  }
  host.counters.segmentsIn.value++;
  const listener = segment.flags === HELLO ? host.doors.get(packet.toPort) : undefined;
  if (listener !== undefined) {
    listener.hello(packet, segment);
    return;
  }
  host.drops.noListener.count++;
  const answer = resetFor(segment);
  if (answer === undefined) return;
  host.counters.refused.value++;
  const header = { protocol: TALK, fromPort: packet.toPort, toPort: packet.fromPort, payload: emitSegment(answer) };
  host.exchange.current.send(packet.from, header);
}

function defineSettings({ sysctl }: ModuleContext): TalkSettings {
  const ms = { type: 'int', unit: 'ms' } as const;
  const retries = sysctl.define('talk.retries', {
    type: 'int',
    default: 10,
    min: 1,
    max: 30,
    summary: 'tries until a peer counts as gone',
  });
  const rto = sysctl.define('talk.rto_ms', { ...ms, default: 20, min: 1, max: 10_000, summary: 'time to the first retransmission' });
  const linger = sysctl.define('talk.linger_ms', { ...ms, default: 200, min: 0, max: 60_000, summary: 'how long a closed one lingers' });
  const window = sysctl.define('talk.window', { type: 'int', default: 8192, min: 1, max: 16384, summary: 'bytes in flight' });
  return {
    get retries() {
      return retries.value;
    },
    get rtoUs() {
      return rto.value * 1000;
    },
    get lingerUs() {
      return linger.value * 1000;
    },
    get windowBytes() {
      return window.value;
    },
  };
}

function makeCounters(ctx: ModuleContext): TalkCounters {
  return {
    segmentsIn: ctx.counter('segments-in'),
    segmentsOut: ctx.counter('segments-out'),
    retransmits: ctx.counter('retransmits'),
    opened: ctx.counter('opened'),
    refused: ctx.counter('refused'),
  };
}

function makeDrops(ctx: ModuleContext): TalkDrops {
  return {
    garbage: ctx.dropReason('talk.garbage', 'no segment: too short, too long, or flags without a meaning'),
    noListener: ctx.dropReason('talk.no-listener', 'of no connection, and nobody listens there'),
    backlogFull: ctx.dropReason('talk.backlog-full', 'a hello to a listener whose user does not accept'),
    inboxFull: ctx.dropReason('talk.inbox-full', 'data for a user who does not take it'),
  };
}
