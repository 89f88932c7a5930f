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
  TCP_SOCKET_OPTION,
  UDP_OPTION,
} from '@softnet/contract';
import { EPOLL, EPOLL_CTL } from './epoll-file.ts';
import { IOCTL } from './ioctls.ts';
import { BATCH_FLAG, FCNTL, FILE_NAMES } from './names/file-names.ts';
import { IP_NAMES, SOCKET_NAMES } from './names/ip-names.ts';
import { TCP_NAMES, TCP_STATE } from './names/tcp-names.ts';
import { POLL_INVALID, POLL_KIN } from './poll-bits.ts';

/** Ours alone, or by other names in C. */
const isLinux = (name: string): boolean => !name.startsWith('IP_MCAST_') && name !== 'MSG_SKB';

/** 'SO_' and { TYPE: 3 } give { SO_TYPE: 3 }. */
function named(prefix: string, numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [`${prefix}${name}`, number]));
}

/** All names that C programs write, with Linux's numbers: `constants.SO_REUSEADDR`. For those who read them from text, as a packetdrill script. */
export const constants: Readonly<Record<string, number>> = Object.freeze(
  Object.fromEntries(
    Object.entries({
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
      ...named('TCP_', TCP_SOCKET_OPTION),
      ...named('TCP_', TCP_STATE),
      ...named('PACKET_', PACKET_OPTION),
      ...named('MSG_', MESSAGE_FLAG),
      ...named('MSG_', BATCH_FLAG),
      ...named('POLL', POLL),
      ...named('POLL', POLL_KIN),
      ...named('EPOLL', POLL),
      ...named('EPOLL', POLL_KIN),
      ...named('EPOLL', EPOLL),
      ...named('EPOLL_CTL_', EPOLL_CTL),
      ...named('F_', FCNTL),
      ...named('', IOCTL),
      ...FILE_NAMES,
      ...IP_NAMES,
      ...SOCKET_NAMES,
      ...TCP_NAMES,
      POLLNVAL: POLL_INVALID,
      // As C has it, an unsigned int: the sign of the bit is the same to `|` and `&`.
      EPOLLET: 2 ** 31,
      EPOLL_CLOEXEC: FILE_NAMES.O_CLOEXEC,
      SIOCINQ: IOCTL.FIONREAD,
      TIOCINQ: IOCTL.FIONREAD,
      TIOCOUTQ: IOCTL.SIOCOUTQ,
    }).filter(([name]) => isLinux(name)),
  ),
);
