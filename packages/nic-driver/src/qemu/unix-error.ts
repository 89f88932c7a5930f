import { NetError } from '@softnet/contract';
import { nameOfErrno } from '../descriptor/name-of-errno.ts';

/** Linux's numbers, of unix datagram sockets. */
export const LINUX = Object.freeze({
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  EACCES: 13,
  ENOTDIR: 20,
  EPIPE: 32,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  EADDRINUSE: 98,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ECONNREFUSED: 111,
} as const);

/** What Linux said, as one sentence that says what to do. */
export function unixError(syscall: 'socket' | 'bind' | 'connect', path: string, errno: number): NetError {
  const details = { syscall };
  switch (errno) {
    case LINUX.EADDRINUSE:
      return new NetError('EADDRINUSE', `qemu: another socket is at ${path}: end who has it, or give another local path`, details);
    case LINUX.EACCES:
    case LINUX.EPERM:
      return new NetError('EACCES', `qemu: this process may not use ${path}: give it the right to, or another path`, details);
    case LINUX.ENOENT:
    case LINUX.ENOTDIR:
      return new NetError('ENOENT', `qemu: the folder of ${path} is not there: make it first`, details);
    case LINUX.EPROTOTYPE:
      return new NetError('EINVAL', `qemu: the socket at ${path} is no datagram socket: give { path } alone, for a stream`, details);
    default:
      return new NetError(nameOfErrno(errno), `qemu: ${path} cannot be used (${syscall}: Linux's error ${errno})`, details);
  }
}

export function notASocket(path: string): NetError {
  return new NetError('EADDRINUSE', `qemu: ${path} is a file, and no socket: give another local path`, { syscall: 'bind' });
}
