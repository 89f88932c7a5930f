import type {
  Clock,
  Contributions,
  CurrentOwner,
  DstUse,
  EthertypeHandler,
  Log,
  MemoryAccount,
  ModuleContext,
  NetworkLayer,
  OptionLevel,
  Port,
} from '@softnet/contract';
import * as contract from '@softnet/contract';

/** What datagram sockets ask of the rest of the stack. */
export interface DatagramHost {
  readonly route: Port<contract.Route>;
  readonly pool: Port<contract.SkbPool>;
  readonly demux: Port<contract.SocketDemux>;
  readonly ports: Port<contract.SocketPorts>;
  readonly layers: Contributions<NetworkLayer>;
  readonly levels: Contributions<OptionLevel>;
  /** The layers again, as who cuts packets. */
  readonly handlers: Contributions<EthertypeHandler>;
  /** Its module's: what waits in its sockets. */
  readonly account: MemoryAccount;
  readonly clock: Clock;
  readonly current: CurrentOwner;
  readonly log: Log;
}

/** @throws NetError EINVAL when the module does not require DATAGRAM_NEEDS. */
export function hostOf(ctx: ModuleContext): DatagramHost {
  return {
    route: ctx.port(contract.Route),
    pool: ctx.port(contract.SkbPool),
    demux: ctx.port(contract.SocketDemux),
    ports: ctx.port(contract.SocketPorts),
    layers: ctx.contributions(contract.NetworkLayer),
    levels: ctx.contributions(contract.OptionLevel),
    handlers: ctx.contributions(contract.EthertypeHandler),
    account: ctx.port(contract.MemoryAccounts).current.open(ctx.name),
    clock: ctx.clock,
    current: ctx.current,
    log: ctx.log,
  };
}

/** The same for sockets that stand in a table of their own: what stands for their port is their protocol's number, as Linux says it of raw ones. */
export function withoutPorts(host: DatagramHost, table: contract.SocketDemux, owner: number): DatagramHost {
  const claim = (sock: contract.SockCommon): number => {
    sock.localPort = sock.protocol;
    return 0;
  };
  return {
    ...host,
    demux: { token: contract.SocketDemux, current: table, present: true, owner },
    ports: { token: contract.SocketPorts, current: { bind: claim, connect: claim }, present: true, owner },
  };
}

/** The newest layer of a family that takes newcomers, else one that leaves; null: none is there. */
export function layerOf({ items }: Contributions<NetworkLayer>, family: number): NetworkLayer | null {
  let found: NetworkLayer | null = null;
  for (let i = items.length - 1; i >= 0; i--) {
    const layer = items[i]!;
    if (layer.family !== family) continue;
    if (layer.uses.open) return layer;
    found ??= layer;
  }
  return found;
}

/** The layer whose dst is held: of two generations the one that made it. A stacked dst (ESP) is nobody's: then the newest. */
export function layerOfUse(layers: Contributions<NetworkLayer>, use: DstUse, family: number): NetworkLayer | null {
  for (const layer of layers.items) if (layer.uses === use.holdKind && layer.family === family) return layer;
  return layerOf(layers, family);
}

/** What a refused hold says, as a call of a socket answers it. Throws what is no NetError: that is a bug. */
export function errnoOf(error: unknown): number {
  if (error instanceof contract.NetError) return error.errno;
  throw error;
}
