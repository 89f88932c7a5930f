import type { Log, SockCommon } from '@softnet/contract';

/** Tells a socket's user that what `poll` says may have changed. What his code throws harms nobody else: it is no fault of this module's, which would be quarantined for it. */
export function wakeUser(sock: SockCommon, log: Log, wake: SockCommon['wake'] = sock.wake, bits?: number): void {
  if (wake === null) return;
  try {
    wake(sock, bits);
  } catch (error) {
    log.warn("what a socket's user does when it is woken throws", { user: sock.holdOwner?.name ?? '', error: String(error) });
  }
}
