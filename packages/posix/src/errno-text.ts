import type { Errno } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';

/** What is wrong, and what to do about it. */
const TEXTS: Readonly<Partial<Record<Errno, string>>> = Object.freeze({
  EPERM: 'it is locked, or not allowed here',
  EINTR: 'its signal came while it waited',
  EBADF: 'the descriptor is not open: it was closed, or never given out',
  EAGAIN: 'it would have to wait: poll the descriptor, and call again',
  EACCES: 'a broadcast address wants SO_BROADCAST',
  EINVAL: 'an argument, or the state of the socket, does not allow it',
  EMFILE: 'all descriptors are in use: close some, or make a process with a larger limit',
  ENOTTY: 'the descriptor knows no such request',
  EPIPE: 'the socket was shut for sending',
  ENOTSOCK: 'the descriptor is no socket',
  EDESTADDRREQ: 'the socket has no peer: connect it, or name an address',
  EMSGSIZE: 'the message is longer than a packet, or than the way allows without cutting it',
  ENOPROTOOPT: 'there is no such option at this level, or no module that has it is loaded',
  EPROTONOSUPPORT: 'no module that is loaded has this protocol',
  ESOCKTNOSUPPORT: 'no module that is loaded has sockets of this type',
  EOPNOTSUPP: 'sockets of this kind cannot do that',
  EAFNOSUPPORT: 'the family is another than the socket’s, or no module of it takes newcomers',
  EADDRINUSE: 'another socket has this address and port: choose another, or set SO_REUSEADDR or SO_REUSEPORT on both',
  EADDRNOTAVAIL: 'the address is none of this host’s, or no port is left',
  ENETDOWN: 'the device is down',
  ENETUNREACH: 'no route leads there: add one, or an address',
  ECONNRESET: 'the peer has reset the connection',
  ENOBUFS: 'packet memory is out, or a queue is full: try again later',
  EISCONN: 'the socket is connected',
  ENOTCONN: 'the socket has no peer',
  ESHUTDOWN: 'the module behind it is leaving: call it back, or load it again',
  ETIMEDOUT: 'the peer has not answered',
  ECONNREFUSED: 'nobody is there: the peer’s host has refused it',
  EHOSTUNREACH: 'the next hop does not answer, or somebody on the way has sent it back',
  EALREADY: 'another call of this kind is not over yet',
  EINPROGRESS: 'it has begun: poll for writing, then read SO_ERROR',
  ELOOP: 'the files would watch one another',
  EEXIST: 'it is there already',
  ENOENT: 'it is not there',
});

const NAMES: ReadonlyMap<number, Errno> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name as Errno]));

/** 'ECONNREFUSED' for -111 or 111; 'E999' for what has no name. */
export function errnoName(errno: number): string {
  return NAMES.get(Math.abs(errno)) ?? `E${Math.abs(errno)}`;
}

/** 'connect(3): ECONNREFUSED: nobody is there ...' */
export function failureText(call: string, errno: number): string {
  const name = errnoName(errno);
  const text = TEXTS[name as Errno];
  return text === undefined ? `${call}: ${name}` : `${call}: ${name}: ${text}`;
}
