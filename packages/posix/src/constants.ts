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

type Numbers = Readonly<Record<string, number>>;
/** Each as a number: `|` of them is one, whatever they are. */
type Named<Prefix extends string, Of extends Numbers> = { readonly [Name in keyof Of & string as `${Prefix}${Name}`]: number };

/** 'SO_' and { TYPE: 3 } give { SO_TYPE: 3 }. */
function named<const Prefix extends string, Of extends Numbers>(prefix: Prefix, numbers: Of): Named<Prefix, Of> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [`${prefix}${name}`, number])) as Named<Prefix, Of>;
}

/** MSG_SKB is no flag of programs. */
const { SKB: _ours, ...MESSAGE } = MESSAGE_FLAG;

const ALL = Object.freeze({
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
  ...named('MSG_', MESSAGE),
  ...named('MSG_', BATCH_FLAG),
  ...named('POLL', POLL),
  ...named('POLL', POLL_KIN),
  ...named('EPOLL', POLL),
  ...named('EPOLL', POLL_KIN),
  ...named('EPOLL', EPOLL),
  ...named('EPOLL_CTL_', EPOLL_CTL),
  ...named('F_', FCNTL),
  ...named('', IOCTL),
  ...named('', FILE_NAMES),
  ...named('', IP_NAMES),
  ...named('', SOCKET_NAMES),
  ...named('', TCP_NAMES),
  ...named('', {
    POLLNVAL: POLL_INVALID,
    // As C has it, an unsigned int: the sign of the bit is the same to `|` and `&`.
    EPOLLET: 2 ** 31,
    EPOLL_CLOEXEC: FILE_NAMES.O_CLOEXEC,
    SIOCINQ: IOCTL.FIONREAD,
    TIOCINQ: IOCTL.FIONREAD,
    TIOCOUTQ: IOCTL.SIOCOUTQ,
  }),
});

/**
 * All names that C programs write, with Linux's numbers: `constants.SO_REUSEADDR`. Who reads names from text, as a packetdrill script, asks for `constants[name]`: undefined, there is
 * none. A name here says nothing of whether it is obeyed.
 */
export const constants: typeof ALL & Numbers = ALL;
