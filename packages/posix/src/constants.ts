import {
  ADDRESS_FAMILY,
  ERRNO,
  IP_OPTION,
  IP_PROTOCOL,
  IPV6_OPTION,
  MESSAGE_FLAG,
  PACKET_OPTION,
  POLL,
  SO,
  SOCK_TYPE,
  SOL,
  UDP_OPTION,
} from '@softnet/contract';
import { EPOLL, EPOLL_CTL } from './epoll-file.ts';
import { IOCTL } from './ioctls.ts';
import { POLL_INVALID } from './poll-files.ts';

/** `TCP_*` of SOL_TCP (linux/tcp.h). */
const TCP = Object.freeze({
  NODELAY: 1,
  MAXSEG: 2,
  CORK: 3,
  KEEPIDLE: 4,
  KEEPINTVL: 5,
  KEEPCNT: 6,
  SYNCNT: 7,
  LINGER2: 8,
  DEFER_ACCEPT: 9,
  WINDOW_CLAMP: 10,
  INFO: 11,
  QUICKACK: 12,
  CONGESTION: 13,
  MD5SIG: 14,
  THIN_LINEAR_TIMEOUTS: 16,
  THIN_DUPACK: 17,
  USER_TIMEOUT: 18,
  REPAIR: 19,
  REPAIR_QUEUE: 20,
  QUEUE_SEQ: 21,
  REPAIR_OPTIONS: 22,
  FASTOPEN: 23,
  TIMESTAMP: 24,
  NOTSENT_LOWAT: 25,
  CC_INFO: 26,
  SAVE_SYN: 27,
  SAVED_SYN: 28,
  REPAIR_WINDOW: 29,
  FASTOPEN_CONNECT: 30,
  ULP: 31,
  FASTOPEN_KEY: 33,
  FASTOPEN_NO_COOKIE: 34,
  ZEROCOPY_RECEIVE: 35,
  INQ: 36,
  TX_DELAY: 37,
} as const);

/** Linux's `F_*`. */
export const FCNTL = Object.freeze({ DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, DUPFD_CLOEXEC: 1030 } as const);

/** Names without a table of their own: open and descriptor flags, socket flags, shutdown, and values of options. */
const OTHERS = Object.freeze({
  O_RDWR: 2,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  FD_CLOEXEC: 1,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  SOMAXCONN: 4096,
  EPOLL_CLOEXEC: 0o2000000,
  EWOULDBLOCK: ERRNO.EAGAIN,
  IPPROTO_IP: 0,
  IPPROTO_RAW: 255,
  IP_PMTUDISC_DONT: 0,
  IP_PMTUDISC_WANT: 1,
  IP_PMTUDISC_DO: 2,
  IP_PMTUDISC_PROBE: 3,
  IP_PMTUDISC_INTERFACE: 4,
  IP_PMTUDISC_OMIT: 5,
  SOF_TIMESTAMPING_TX_SOFTWARE: 0x2,
  SOF_TIMESTAMPING_RX_SOFTWARE: 0x8,
  SOF_TIMESTAMPING_SOFTWARE: 0x10,
  SOF_TIMESTAMPING_OPT_ID: 0x80,
  SOF_TIMESTAMPING_OPT_CMSG: 0x400,
  SOF_TIMESTAMPING_OPT_TSONLY: 0x800,
});

/** 'SO_' and { TYPE: 3 } give { SO_TYPE: 3 }. */
function named(prefix: string, numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [`${prefix}${name}`, number]));
}

/** All names that C programs write, with Linux's numbers: `constants.SO_REUSEADDR`. For those who read them from text, as a packetdrill script. */
export const constants: Readonly<Record<string, number>> = Object.freeze({
  ...named('', ERRNO),
  ...named('AF_', ADDRESS_FAMILY),
  ...named('PF_', ADDRESS_FAMILY),
  ...named('SOCK_', SOCK_TYPE),
  ...named('IPPROTO_', IP_PROTOCOL),
  ...named('SOL_', SOL),
  ...named('SO_', SO),
  ...named('IP_', IP_OPTION),
  ...named('IPV6_', IPV6_OPTION),
  ...named('UDP_', UDP_OPTION),
  ...named('TCP_', TCP),
  ...named('PACKET_', PACKET_OPTION),
  ...named('MSG_', MESSAGE_FLAG),
  ...named('POLL', POLL),
  ...named('EPOLL', POLL),
  ...named('EPOLL', EPOLL),
  ...named('EPOLL_CTL_', EPOLL_CTL),
  ...named('F_', FCNTL),
  ...named('', IOCTL),
  POLLNVAL: POLL_INVALID,
  SIOCINQ: IOCTL.FIONREAD,
  TIOCOUTQ: IOCTL.SIOCOUTQ,
  ...OTHERS,
});
