import type { Contributions, SocketHolder } from '@softnet/contract';
import type { Listener } from '../handshake/listener.ts';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';

/**
 * Children of listeners that were handed over, while they stay in the generation that leaves (it is replaced by draining): they wait to be accepted where those listen now. They stay that
 * generation's: what is called on them is its own.
 */
export function foreignChildren(holders: Contributions<SocketHolder>, name: string, own: object): Connection[] {
  const found: Connection[] = [];
  for (const { name: of, sockets } of holders.items) {
    if (of !== name || sockets === own) continue;
    for (const { ext } of sockets) if (isLeftBehind(ext)) found.push(ext as Connection);
  }
  return found;
}

/** Nobody has accepted it, and its listener is elsewhere now. Fields alone are asked: another build may have made it. */
function isLeftBehind(ext: unknown): boolean {
  const { flags, listener } = ext as Partial<Connection>;
  return flags !== undefined && (flags & FLAG.UNACCEPTED) !== 0 && listener != null && !(listener as Listener).isOpen;
}
