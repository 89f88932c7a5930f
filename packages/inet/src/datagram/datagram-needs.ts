import type { Requirement } from '@softnet/contract';
import { MemoryAccounts, NetworkLayer, one, Route, SkbPool, SocketDemux, SocketPorts, some } from '@softnet/contract';

/** What a module requires that makes {@link DatagramSockets} over whatever layers there are. */
export const DATAGRAM_NEEDS: readonly Requirement[] = Object.freeze([
  some(NetworkLayer),
  one(Route),
  one(SkbPool),
  one(MemoryAccounts),
  one(SocketDemux),
  one(SocketPorts),
]);
