import type { EventEmitter } from 'node:events';
import { clearControl, ERRNO, POLL } from '@softnet/contract';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { errnoError } from '../errors/errno-error.ts';
import type { Blocks } from './socket-options.ts';

/** As libuv: after so many, the event loop lives. */
const BATCH = 32;

/** Gives a socket's datagrams to its listeners as 'message', and errors as 'error'; what is left waits for a turn of the event loop. */
export function receiveSome(host: NodeHost, endpoint: Endpoint, to: EventEmitter, paused: () => boolean, blocks: Blocks | undefined): void {
  const { message, room } = host;
  for (let count = 0; endpoint.isOpen && !paused(); count++) {
    if (count === BATCH) {
      setImmediate(() => endpoint.schedule());
      return;
    }
    message.data = room;
    message.more = null;
    message.flags = 0;
    clearControl(message);
    const lenBytes = endpoint.calls.receive(endpoint.sock, message);
    if (lenBytes === -ERRNO.EAGAIN) return;
    if (lenBytes < 0) {
      to.emit('error', errnoError(lenBytes, 'recvmsg'));
      // One that stays is told once.
      if (!endpoint.isOpen || (endpoint.poll() & POLL.IN) === 0) return;
      continue;
    }
    const end = endpoint.textOf(message.address);
    if (blocks?.check(end.address, end.family === 'IPv4' ? 'ipv4' : 'ipv6')) continue;
    to.emit('message', Buffer.from(room.subarray(0, lenBytes)), { ...end, size: lenBytes });
  }
}
