import { badType, checkNumber, checkString, nodeError, portOf } from '../errors/node-error.ts';

/** What `send` was called with, told apart. */
export interface SendArguments {
  readonly parts: readonly Uint8Array[];
  /** 0: to whom it is connected. */
  readonly port: number;
  readonly address: string | undefined;
  readonly callback: ((error: Error | null, bytes: number) => void) | undefined;
}

/**
 * Of `send(msg[, offset, length][, port][, address][, callback])`, whose arguments mean what they do by whether the socket is connected.
 * @throws ERR_INVALID_ARG_TYPE, ERR_BUFFER_OUT_OF_BOUNDS, ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_IS_CONNECTED.
 */
export function sendArguments(connected: boolean, given: readonly unknown[]): SendArguments {
  let [data, ...rest] = given;
  if (isRange(connected, rest)) {
    data = rangeOf(data, rest[0], rest[1]);
    rest = rest.slice(2);
  }
  const at = rest.findIndex((each) => typeof each === 'function');
  const callback = at < 0 ? undefined : (rest[at] as SendArguments['callback']);
  // As Node: connected, what stands where a callback would is left unread.
  const ranged = rest.length < given.length - 1;
  const [port, address] = (connected && !ranged ? rest.slice(2) : rest).filter((each) => typeof each !== 'function');
  if (connected && (port || address)) throw nodeError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
  const parts = partsOf(data);
  const number = connected ? 0 : portOf(port, 'Port', true);
  if (address !== undefined && address !== null) checkString(address, 'address');
  return { parts, port: number, address: (address as string | null | undefined) || undefined, callback };
}

/** Is there an offset and a length? Unconnected that takes a port behind them. */
function isRange(connected: boolean, [, length, port, address]: readonly unknown[]): boolean {
  if (connected) return typeof length === 'number';
  return Boolean(address) || (Boolean(port) && typeof port !== 'function');
}

function rangeOf(data: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.from(data) : bytesOf(data);
  if (bytes === null) throw notData('buffer', data);
  const [from, count] = [Number(offset) >>> 0, Number(length) >>> 0];
  if (from > bytes.byteLength) throw nodeError('ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  if (from + count > bytes.byteLength) throw nodeError('ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
  return bytes.subarray(from, from + count);
}

function partsOf(data: unknown): Uint8Array[] {
  if (!Array.isArray(data)) {
    const bytes = typeof data === 'string' ? Buffer.from(data) : bytesOf(data);
    if (bytes === null) throw notData('buffer', data);
    return [bytes];
  }
  return data.map((each) => {
    const bytes = typeof each === 'string' ? Buffer.from(each) : bytesOf(each);
    if (bytes === null) throw notData('buffer list arguments', data);
    return bytes;
  });
}

function bytesOf(data: unknown): Uint8Array | null {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
}

function notData(name: string, data: unknown): Error {
  return badType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

/** Of `sendto`, which has all of them. */
export function checkSendTo(offset: unknown, length: unknown, port: unknown, address: unknown): void {
  checkNumber(offset, 'offset');
  checkNumber(length, 'length');
  checkNumber(port, 'port');
  checkString(address, 'address');
}
