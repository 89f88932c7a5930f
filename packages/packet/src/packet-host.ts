import type {
  Clock,
  Contributions,
  CurrentOwner,
  Log,
  MemoryAccount,
  ModuleContext,
  OptionLevel,
  Port,
  Requirement,
} from '@softnet/contract';
import * as contract from '@softnet/contract';
import { DeviceTraffic, LinkGroups, MemoryAccounts, one, SkbPool } from '@softnet/contract';

/** What packet sockets ask of the rest of the stack. */
export interface PacketHost {
  readonly traffic: Port<contract.DeviceTraffic>;
  readonly groups: Port<contract.LinkGroups>;
  readonly pool: Port<contract.SkbPool>;
  readonly levels: Contributions<OptionLevel>;
  /** What waits in its sockets. */
  readonly account: MemoryAccount;
  readonly clock: Clock;
  readonly current: CurrentOwner;
  readonly log: Log;
}

/** What a module requires for that. */
export const PACKET_NEEDS: readonly Requirement[] = Object.freeze([one(DeviceTraffic), one(LinkGroups), one(SkbPool), one(MemoryAccounts)]);

export function hostOf(ctx: ModuleContext): PacketHost {
  return {
    traffic: ctx.port(DeviceTraffic),
    groups: ctx.port(LinkGroups),
    pool: ctx.port(SkbPool),
    levels: ctx.contributions(contract.OptionLevel),
    account: ctx.port(MemoryAccounts).current.open(ctx.name),
    clock: ctx.clock,
    current: ctx.current,
    log: ctx.log,
  };
}
