import type { Errno } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';

const NAMES: ReadonlyMap<number, Errno> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name as Errno]));

/** What helps, of errnos that programs meet. */
const SENTENCES: Partial<Record<Errno, string>> = Object.freeze({
  EADDRINUSE: 'another socket has this address and port: choose another, or port 0 for any',
  EADDRNOTAVAIL: 'no device of this host has this address: see its addresses, or bind to 0.0.0.0 or ::',
  EAFNOSUPPORT: 'no module of this kernel brings this family or kind of address',
  ESOCKTNOSUPPORT: 'no module of this kernel makes such sockets, or it is leaving: load it first',
  EPROTONOSUPPORT: 'no module of this kernel speaks this protocol, or it is leaving: load it first',
  EBADF: 'it has no socket yet, or none any more: bind or connect it first',
  ECANCELED: 'the socket was closed before it could be sent',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer has given the connection up',
  EMSGSIZE: 'it is too long for one datagram: send less at once',
  ENETUNREACH: 'this host has no route there: add one',
  EHOSTUNREACH: 'nobody on the link answers for it, or a router says that there is no way',
  ENOBUFS: 'packet memory, or the queue of this socket, is full: send less at once',
  ENODEV: 'there is no such device, or none that leads to the group: name an interface',
  EACCES: 'to broadcast, say setBroadcast(true) first',
  EINVAL: 'the arguments do not go together, or the address is of another family than the socket',
  EPIPE: 'this end is shut for sending, or the connection is gone',
  ESHUTDOWN: 'the module that makes such sockets is leaving',
  ETIMEDOUT: 'no answer came',
});

/** Where it happened, as Node says it. */
export interface ErrnoPlace {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** Node's own words for it, where the call's errors have some: 'address already in use'. */
  readonly words?: string;
}

/** An error of a system call in Node's shape. */
export type SystemCallError = Error & { code: string; errno: number; syscall: string; address?: string; port?: number };

/** The errno's name of a call's answer. */
export function errnoName(result: number): Errno {
  return NAMES.get(-result) ?? 'EIO';
}

/** What a socket call answered, -errno, as Node would give it, with a sentence that helps behind: 'bind EADDRINUSE 127.0.0.1:7: another socket ...'. */
export function errnoError(result: number, syscall: string, { address, port, words }: ErrnoPlace = {}): SystemCallError {
  const code = errnoName(result);
  const end = address === undefined || address === '' ? '' : port ? ` ${address}:${port}` : ` ${address}`;
  const sentence = SENTENCES[code];
  const message = `${syscall} ${code}${words === undefined ? '' : `: ${words}`}${end}${sentence === undefined ? '' : `: ${sentence}`}`;
  const error = new Error(message) as SystemCallError;
  error.errno = result;
  error.code = code;
  error.syscall = syscall;
  if (address !== undefined && address !== '') error.address = address;
  if (port) error.port = port;
  return error;
}

/** Throws what a call answered, if it is an errno. */
export function checked(result: number, syscall: string): number {
  if (result < 0) throw errnoError(result, syscall);
  return result;
}
