import type { Clock, Contributions, CurrentOwner, DropReason, MemoryAccount, NetworkLayer, Port, Route, SkbPool } from '@softnet/contract';
import type { TcpFault } from '@softnet/wire';
import type { TcpCounters } from '../machine/machine-host.ts';
import type { TcpSettings } from '../machine/tcp-settings.ts';

/** What reading, writing and keeping segments asks of the rest of the stack. */
export interface SegmentHost {
  readonly pool: Port<SkbPool>;
  readonly route: Port<Route>;
  readonly layers: Contributions<NetworkLayer>;
  readonly current: CurrentOwner;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Its module's: what waits in its sockets, both ways. */
  readonly account: MemoryAccount;
  readonly settings: Pick<TcpSettings, 'timestamps' | 'sack' | 'windowScaling'>;
  /** Why a segment is dropped before anybody is asked for whom it is. */
  readonly faults: Readonly<Record<TcpFault, DropReason>>;
  readonly counters: Pick<TcpCounters, 'segments-in' | 'segments-out' | 'resets-out'>;
}
