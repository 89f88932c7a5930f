import type { LookupFunction } from '../endpoint/lookup.ts';
import { badType, checkFunction, checkSignal, nodeError } from '../errors/node-error.ts';

/** Whose packets are not taken, or to whom none are sent: a `net.BlockList`. */
export interface Blocks {
  check(address: string, family?: 'ipv4' | 'ipv6'): boolean;
}

/** What `createSocket` takes. */
export interface SocketOptions {
  readonly type: 'udp4' | 'udp6';
  readonly reuseAddr?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  readonly recvBufferSize?: number | undefined;
  readonly sendBufferSize?: number | undefined;
  readonly lookup?: LookupFunction | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly receiveBlockList?: Blocks | undefined;
  readonly sendBlockList?: Blocks | undefined;
}

/** @throws ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE. */
export function socketOptions(given: unknown): SocketOptions {
  const options = (typeof given === 'object' && given !== null ? given : { type: given }) as SocketOptions;
  for (const name of ['recvBufferSize', 'sendBufferSize'] as const) {
    const size = options[name];
    if (!size) continue;
    if (typeof size !== 'number') throw badType(`options.${name}`, 'of type number', size);
    if (size !== size >>> 0) throw nodeError('ERR_OUT_OF_RANGE', `The value of "options.${name}" is out of range. Received ${size}`);
  }
  if (options.type !== 'udp4' && options.type !== 'udp6')
    throw nodeError('ERR_SOCKET_BAD_TYPE', 'Bad socket type specified. Valid types are: udp4, udp6');
  if (options.lookup !== undefined) checkFunction(options.lookup, 'lookup');
  if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
  return options;
}
