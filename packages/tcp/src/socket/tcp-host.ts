import type { Clock, CurrentOwner, DropReason, Log, ModuleContext, OptionLevel, Port, Random } from '@softnet/contract';
import * as contract from '@softnet/contract';
import { TCP_FAULT } from '@softnet/wire';
import type { TcpCounters, TcpReasons } from '../machine/machine-host.ts';
import { TCP_COUNTERS, TCP_REASONS } from '../machine/machine-host.ts';
import type { SegmentHost } from '../segment/segment-host.ts';
import type { SocketSettings } from './settings.ts';
import { defineSettings } from './settings.ts';

/** What TCP's sockets ask of the rest of the stack. */
export interface TcpHost extends SegmentHost {
  readonly demux: Port<contract.SocketDemux>;
  readonly ports: Port<contract.SocketPorts>;
  readonly accounts: Port<contract.MemoryAccounts>;
  readonly levels: contract.Contributions<OptionLevel>;
  readonly clock: Clock;
  readonly random: Random;
  readonly current: CurrentOwner;
  readonly log: Log;
  readonly settings: SocketSettings;
  readonly reasons: TcpReasons;
  readonly counters: TcpCounters;
}

/** @throws NetError EINVAL when the module does not require DATAGRAM_NEEDS. */
export function hostOf(ctx: ModuleContext): TcpHost {
  return {
    route: ctx.port(contract.Route),
    pool: ctx.port(contract.SkbPool),
    demux: ctx.port(contract.SocketDemux),
    ports: ctx.port(contract.SocketPorts),
    accounts: ctx.port(contract.MemoryAccounts),
    layers: ctx.contributions(contract.NetworkLayer),
    levels: ctx.contributions(contract.OptionLevel),
    account: ctx.port(contract.MemoryAccounts).current.open(ctx.name),
    clock: ctx.clock,
    random: ctx.random,
    current: ctx.current,
    log: ctx.log,
    settings: defineSettings(ctx.sysctl, ctx.port(contract.MemoryAccounts).current.roomBytes()),
    faults: reasonsOf(ctx, TCP_FAULT),
    reasons: reasonsOf(ctx, TCP_REASONS),
    counters: Object.fromEntries(TCP_COUNTERS.map((name) => [name, ctx.counter(`tcp.${name}`)])) as TcpCounters,
  };
}

function reasonsOf<N extends string>(ctx: ModuleContext, texts: Readonly<Record<N, string>>): Readonly<Record<N, DropReason>> {
  const entries = Object.entries<string>(texts).map(([name, text]) => [name, ctx.dropReason(name, text)]);
  return Object.fromEntries(entries) as Record<N, DropReason>;
}
