import { inspect } from 'node:util';

type ErrorClass = new (message: string) => Error;

const CLASSES: Readonly<Record<string, ErrorClass>> = Object.freeze({
  ERR_BUFFER_OUT_OF_BOUNDS: RangeError,
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_MISSING_ARGS: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_SOCKET_BAD_BUFFER_SIZE: TypeError,
  ERR_SOCKET_BAD_PORT: RangeError,
  ERR_SOCKET_BAD_TYPE: TypeError,
  ERR_INVALID_IP_ADDRESS: TypeError,
  ERR_INVALID_FD_TYPE: TypeError,
});

/** An error that Node knows by a code of its own. Plain `Error` unless Node has another class for it. */
export function nodeError(code: string, message: string): Error & { code: string } {
  const error = new (CLASSES[code] ?? Error)(message) as Error & { code: string };
  error.code = code;
  return error;
}

/** ERR_INVALID_ARG_TYPE. @param wanted 'of type number'. */
export function badType(name: string, wanted: string, value: unknown): Error {
  return nodeError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${wanted}. Received ${inspect(value, { depth: 0 })}`);
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw badType(name, 'of type number', value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw badType(name, 'of type string', value);
}

export function checkFunction(value: unknown, name: string): asserts value is (...given: unknown[]) => void {
  if (typeof value !== 'function') throw badType(name, 'of type function', value);
}

export function checkSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) throw badType(name, 'an instance of AbortSignal', value);
}

/** A port, which may be digits. @throws ERR_SOCKET_BAD_PORT for others than 0, or with `nonZero` 1, to 65535. */
export function portOf(value: unknown, name = 'Port', nonZero = false): number {
  const isText = typeof value === 'string' && value.trim() !== '';
  const port = typeof value === 'number' || isText ? Number(value) : Number.NaN;
  if (port === port >>> 0 && port <= 0xffff && !(nonZero && port === 0)) return port;
  const range = nonZero ? '> 0 and < 65536' : '>= 0 and < 65536';
  throw nodeError('ERR_SOCKET_BAD_PORT', `${name} should be ${range}. Received ${inspect(value, { depth: 0 })}.`);
}
