import { inspect } from 'node:util';
import { nodeError, portOf } from '../errors/node-error.ts';
import { netArguments } from './connect-arguments.ts';

/** What `listen` was called with, told apart. */
export interface ListenOptions {
  readonly port: number;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly backlog: number;
  readonly ipv6Only: boolean;
  readonly reusePort: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Node's default. */
const BACKLOG = 511;

/** Of `listen([port | path | options][, host][, backlog][, callback])`. @throws ERR_SOCKET_BAD_PORT, ERR_INVALID_ARG_VALUE. */
export function listenArguments(given: readonly unknown[]): { options: ListenOptions; callback: (() => void) | undefined } {
  const { options, callback } = netArguments(given);
  const number = given.slice(1).find((each) => typeof each === 'number');
  const asked = options as Partial<Record<keyof ListenOptions, unknown>>;
  const path = typeof asked.path === 'string' ? asked.path : undefined;
  if (path === undefined && !('port' in asked) && given.length > 0 && typeof given[0] !== 'function') throw noPort(options);
  const isPort = asked.port === undefined || asked.port === null || typeof asked.port === 'number' || typeof asked.port === 'string';
  if (!isPort) throw nodeError('ERR_INVALID_ARG_VALUE', `The argument 'options' is invalid. Received ${inspect(options)}`);
  return {
    options: {
      port: asked.port === undefined || asked.port === null ? 0 : portOf(asked.port, 'options.port'),
      host: typeof asked.host === 'string' ? asked.host : undefined,
      path,
      backlog: Number(asked.backlog ?? number ?? BACKLOG) || BACKLOG,
      ipv6Only: asked.ipv6Only === true,
      reusePort: asked.reusePort === true,
      signal: asked.signal as AbortSignal | undefined,
    },
    callback,
  };
}

function noPort(options: object): Error {
  return nodeError('ERR_INVALID_ARG_VALUE', `The argument 'options' must have the property "port" or "path". Received ${inspect(options)}`);
}
