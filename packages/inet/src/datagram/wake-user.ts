import type { Log, SockCommon } from '@softnet/contract';
import { stateOf } from './datagram-state.ts';

/**
 * Tells a socket's user that what `poll` says may have changed. What his code throws harms nobody else: it is not taken for a fault of this
 * module, which would be quarantined for it. The log has the first of each socket.
 * @param bits of POLL that it is about, where they are known.
 */
export function wakeUser(sock: SockCommon, log: Log, wake: SockCommon['wake'] = sock.wake, bits?: number): void {
  if (wake === null) return;
  try {
    wake(sock, bits);
  } catch (error) {
    const state = stateOf(sock);
    if (state.wakeThrew) return;
    state.wakeThrew = true;
    log.warn("what a socket's user does when it is woken throws", { user: sock.holdOwner?.name ?? '', error: String(error) });
  }
}
