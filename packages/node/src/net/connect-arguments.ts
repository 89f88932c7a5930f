import { isIP } from 'node:net';
import type { LookupFunction } from '../endpoint/lookup.ts';
import { badType, checkFunction, checkString, nodeError, portOf } from '../errors/node-error.ts';

/** What `connect` was called with, told apart. */
export interface ConnectOptions {
  readonly port?: number | string | undefined;
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly family?: number | undefined;
  readonly lookup?: LookupFunction | undefined;
  readonly timeout?: number | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
  readonly autoSelectFamily?: boolean | undefined;
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** Options and callback of `connect(options | port[, host] | path[, callback])`, `listen` and `createConnection`. */
export function netArguments(given: readonly unknown[]): { options: Record<string, unknown>; callback: (() => void) | undefined } {
  const last = given.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = given;
  if (typeof first === 'object' && first !== null) return { options: first as Record<string, unknown>, callback };
  if (typeof first === 'string' && !(Number(first) >= 0)) return { options: { path: first }, callback };
  const options: Record<string, unknown> = typeof first === 'function' ? {} : { port: first };
  if (typeof second === 'string') options.host = second;
  return { options, callback };
}

/** @throws ERR_MISSING_ARGS, ERR_INVALID_ARG_TYPE, ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS. */
export function checkConnect(options: ConnectOptions): void {
  const { port, path, host, localAddress, localPort, lookup } = options;
  if (path !== undefined && path !== null) {
    checkString(path, 'options.path');
    return;
  }
  if (port === undefined) throw nodeError('ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified');
  if (typeof port !== 'number' && typeof port !== 'string') throw badType('options.port', 'one of type number or string', port);
  portOf(port);
  if (host !== undefined && host !== null) checkString(host, 'hostname');
  if (localAddress && isIP(localAddress) === 0) throw nodeError('ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${localAddress}`);
  if (localPort && typeof localPort !== 'number') throw badType('options.localPort', 'of type number', localPort);
  if (lookup !== undefined) checkFunction(lookup, 'options.lookup');
}
