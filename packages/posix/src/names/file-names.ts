import { ERRNO } from '@softnet/contract';

/** Linux's `F_*` of fcntl that there are here, and those of signals, which are told to be none (-EINVAL). */
export const FCNTL = Object.freeze({
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  SETOWN: 8,
  GETOWN: 9,
  SETSIG: 10,
  GETSIG: 11,
  DUPFD_CLOEXEC: 1030,
} as const);

/** Linux's `MSG_*` of calls on several messages, beyond those of one. */
export const BATCH_FLAG = Object.freeze({ WAITFORONE: 0x10000, BATCH: 0x40000, CMSG_CLOEXEC: 0x40000000 } as const);

/** Names of descriptors, files and calls, that have no table of their own. */
export const FILE_NAMES = Object.freeze({
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_ACCMODE: 3,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_NDELAY: 0o4000,
  O_ASYNC: 0o20000,
  O_DIRECT: 0o40000,
  O_CLOEXEC: 0o2000000,
  FD_CLOEXEC: 1,
  FD_SETSIZE: 1024,
  SOCK_RDM: 4,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  SOMAXCONN: 4096,
  UIO_MAXIOV: 1024,
  EWOULDBLOCK: ERRNO.EAGAIN,
  EDEADLOCK: ERRNO.EDEADLK,
  ENOTSUP: ERRNO.EOPNOTSUPP,
  /** Of TCP's own flags, as programs see them; nobody sends them. */
  MSG_FIN: 0x200,
  MSG_SYN: 0x400,
  MSG_RST: 0x1000,
  MSG_TRYHARD: 0x4,
});
