import { Buffer } from 'node:buffer';
import { isIP, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { NetError } from '@softnet/contract';

/** An end of a UDP socket. */
export interface DatagramAddress {
  readonly port: number;
  /** IPv4 or IPv6; default 127.0.0.1. */
  readonly address?: string;
}

/** An end of a unix datagram socket. */
export interface DatagramPath {
  /** Of 107 bytes at most, as Linux has it. The local one is made, and removed with the device. */
  readonly path: string;
}

/** Where frames go: exactly one of `path`, `port`, `stream`, `local`. */
export interface Endpoint {
  /** A unix socket. */
  readonly path?: string;
  /** TCP, and its host; default 127.0.0.1. */
  readonly port?: number;
  readonly host?: string;
  /** A stream that is connected already. It is the device's from here on. */
  readonly stream?: Duplex;
  /**
   * A datagram for each frame (`-netdev dgram`), of UDP or of unix: where to hear, and beside it the only one who is heard. Port 0: the
   * host chooses. Nobody has to be there yet.
   */
  readonly local?: DatagramAddress | DatagramPath;
  readonly remote?: DatagramAddress | DatagramPath;
  /** Wait there for QEMU to connect (`-netdev stream,server=off`), one at a time. Default: connect to it. */
  readonly listen?: boolean;
  /** Go on trying to connect: at the beginning, and when the peer has gone. Default: the first failure is the caller's. */
  readonly reconnect?: boolean;
  /** How long a peer of a stream may keep the rest of a frame that it has begun, ms: 1 to 3,600,000; default 30,000. Then the connection ends. */
  readonly stallMs?: number;
}

export const DEFAULT_STALL_MS = 30_000;
const MAX_STALL_MS = 3_600_000;
/** `sun_path` of <sys/un.h>, less its NUL. */
const MAX_PATH_BYTES = 107;

/** @throws NetError EINVAL, saying which option. */
export function checkEndpoint(endpoint: Endpoint): void {
  const { path, port, stream, local, remote, stallMs } = endpoint;
  if ([path, port, stream, local].filter((each) => each !== undefined).length !== 1) {
    throw refusal('takes exactly one of path (a unix socket), port (TCP), stream and local (datagrams)');
  }
  const isTime = typeof stallMs === 'number' && stallMs >= 1 && stallMs <= MAX_STALL_MS;
  if (stallMs !== undefined && (!isTime || local !== undefined))
    throw refusal(`stallMs takes 1 to ${MAX_STALL_MS}, of a stream, got ${String(stallMs)}`);
  if (local !== undefined || remote !== undefined) checkDatagrams(endpoint);
  else checkStream(endpoint);
}

/** Are they unix datagrams? Of a checked endpoint. */
export function hasDatagramPaths({ local }: Endpoint): boolean {
  return isPath(local);
}

function isPath(given: unknown): given is DatagramPath {
  return typeof given === 'object' && given !== null && 'path' in given;
}

function checkDatagrams({ local, remote, host, listen, reconnect }: Endpoint): void {
  if (isPath(local) || isPath(remote)) {
    checkPath('local', local);
    checkPath('remote', remote);
    if (resolve((local as DatagramPath).path) === resolve((remote as DatagramPath).path))
      throw refusal('local and remote are two paths: who binds one connects to the other');
  } else {
    checkAddress('local', local, 0);
    checkAddress('remote', remote, 1);
    if (isIPv6(local?.address ?? '') !== isIPv6(remote?.address ?? '')) throw refusal('local and remote are both of IPv4 or both of IPv6');
  }
  const wrong = Object.entries({ host, listen, reconnect }).find(([, value]) => value !== undefined);
  if (wrong !== undefined) throw refusal(`${wrong[0]} goes with a stream, not with local and remote: datagrams have no connection`);
}

function checkAddress(name: string, given: DatagramAddress | undefined, leastPort: number): void {
  const { port, address } = given ?? {};
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= leastPort && port <= 65535;
  if (!isPort || (address !== undefined && isIP(address) === 0)) {
    throw refusal(`${name} takes { port, address }: ${leastPort} to 65535, and an IP address (default 127.0.0.1)`);
  }
}

function checkPath(name: string, given: unknown): void {
  const path = isPath(given) && Object.keys(given).length === 1 ? given.path : undefined;
  const lenBytes = typeof path === 'string' && !path.includes('\0') ? Buffer.byteLength(path) : 0;
  if (lenBytes >= 1 && lenBytes <= MAX_PATH_BYTES) return;
  throw refusal(`${name} takes { path } of 1 to ${MAX_PATH_BYTES} bytes where the other has a path, got ${JSON.stringify(given)}`);
}

function checkStream({ path, port, host, stream, listen, reconnect }: Endpoint): void {
  if (path !== undefined && (typeof path !== 'string' || path === ''))
    throw refusal(`path takes the name of a unix socket, got ${String(path)}`);
  if (port !== undefined && !(Number.isInteger(port) && port >= (listen === true ? 0 : 1) && port <= 65535)) {
    throw refusal(`port takes 1 to 65535, got ${String(port)}`);
  }
  if (host !== undefined && (typeof host !== 'string' || host === '' || port === undefined))
    throw refusal('host takes a name or address, beside port');
  if (reconnect === true && (stream !== undefined || listen === true)) throw refusal('reconnect goes with connecting to path or port');
  if (stream === undefined) return;
  if (typeof stream !== 'object' || typeof stream.write !== 'function' || typeof stream.on !== 'function')
    throw refusal('stream takes a Duplex');
  if (stream.destroyed || !stream.writable || !stream.readable) throw refusal('the stream has ended already');
  if (listen === true) throw refusal('listen goes with path or port, not with stream');
}

/** One line for people. */
function describeEndpoint({ path, port, host, stream, listen, local }: Endpoint): string {
  if (local !== undefined && !isPath(local)) return `UDP at ${local.address ?? '127.0.0.1'}:${local.port}`;
  if (stream !== undefined) return 'a stream';
  return `${listen === true ? 'listening at ' : ''}${path ?? `${host ?? '127.0.0.1'}:${port}`}`;
}

/** What the host said, as one sentence that says what to do. */
export function connectError(endpoint: Endpoint, cause: unknown): NetError {
  const where = describeEndpoint(endpoint);
  const { path, port, host } = endpoint;
  const address =
    path === undefined ? `addr.type=inet,addr.host=${host ?? '127.0.0.1'},addr.port=${port}` : `addr.type=unix,addr.path=${path}`;
  const details = { syscall: endpoint.listen === true ? 'listen' : 'connect', cause };
  switch ((cause as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOENT':
    case 'ECONNREFUSED': {
      const advice = `start QEMU with -netdev stream,id=net0,server=on,${address} first, or say reconnect: true`;
      const code = (cause as { readonly code: 'ENOENT' | 'ECONNREFUSED' }).code;
      return new NetError(code, `qemu: nobody listens at ${where}: ${advice}`, details);
    }
    case 'EACCES':
    case 'EPERM':
      return new NetError('EACCES', `qemu: this process may not use ${where}: give it the right to, or another path or port`, details);
    case 'EADDRNOTAVAIL':
      return new NetError('EADDRNOTAVAIL', `qemu: ${where} cannot be used: no interface of this machine has that address`, details);
    case 'EADDRINUSE':
      return new NetError('EADDRINUSE', `qemu: ${where} is in use: end who listens there, or, where nobody does, remove the file`, details);
    case 'ETIMEDOUT':
      return new NetError('ETIMEDOUT', `qemu: ${where} does not answer`, details);
    default:
      return new NetError('EIO', `qemu: ${where} cannot be used: ${String(cause)}`, details);
  }
}

function refusal(sentence: string): NetError {
  return new NetError('EINVAL', `qemu: ${sentence}`);
}
