import type { EventEmitter } from 'node:events';

/** A callback of `bind`: for this time, and not if it fails. */
export function onceBound(socket: EventEmitter, callback: () => void): void {
  const forget = (): void => {
    socket.removeListener('error', forget);
    socket.removeListener('listening', heard);
  };
  const heard = (): void => {
    forget();
    callback.call(socket);
  };
  socket.on('error', forget);
  socket.on('listening', heard);
}
