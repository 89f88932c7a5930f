import type { Contributions, SockCommon, SocketHolder } from '@softnet/contract';
import type { Listener } from '../handshake/listener.ts';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import { connectionOf } from './connection-of.ts';

/**
 * Children of a listener that was handed over while they stay in the generation that leaves (it is replaced by draining): they wait to be accepted where it listens now. They stay that
 * generation's: what is called on them is its own.
 * @param listens sockets that listen here. @returns listeners for whom somebody was found.
 */
export function adoptForeignChildren(
  holders: Contributions<SocketHolder>,
  name: string,
  own: object,
  listens: Iterable<SockCommon>,
): Listener[] {
  const found: Listener[] = [];
  const listeners = [...listens].filter(({ state }) => state === TCP_STATE.LISTEN);
  for (const { name: of, sockets } of holders.items) {
    if (of !== name || sockets === own) continue;
    for (const sock of sockets) {
      const parent = orphanedParent(sock);
      const listener = parent === null ? undefined : listeners.find((each) => isSamePlace(each, parent));
      if (listener === undefined) continue;
      const now = connectionOf(listener).listener as Listener;
      connectionOf(sock).listener = now;
      now.accepted.push(connectionOf(sock));
      found.push(now);
    }
  }
  return found;
}

/** Of a child that nobody has accepted, whose listener is elsewhere now. */
function orphanedParent({ ext, state }: SockCommon): SockCommon | null {
  if (state === TCP_STATE.LISTEN || state === TCP_STATE.TIME_WAIT) return null;
  const { flags, listener } = ext as Connection;
  if ((flags & FLAG.UNACCEPTED) === 0 || listener === null || (listener as Listener).isOpen) return null;
  return (listener as Listener).conn.sock;
}

function isSamePlace(one: SockCommon, other: SockCommon): boolean {
  return (
    one.localPort === other.localPort &&
    one.family === other.family &&
    one.local3 === other.local3 &&
    one.local2 === other.local2 &&
    one.local1 === other.local1 &&
    one.local0 === other.local0 &&
    one.ifindex === other.ifindex
  );
}
