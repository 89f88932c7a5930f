import { ERRNO } from '@softnet/contract';
import { constants } from '@softnet/posix';

/** Names that scripts use, with Linux's numbers. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(constants),
  // Names that scripts have beside C's: their numbers are Linux's too.
  ...Object.entries({
    SIOCINQ: 0x541b,
    SIOCOUTQ: 0x5411,
    SIOCOUTQNSD: 0x894b,
    TCP_CM_INQ: 36,
    IPPROTO_UDPLITE: 136,
    INADDR_ANY: 0,
    INADDR_LOOPBACK: 0x0100007f,
    INADDR_BROADCAST: 0xffffffff,
    IP_PMTUDISC_INTERFACE: 4,
    IP_PMTUDISC_OMIT: 5,
    TCPI_OPT_TIMESTAMPS: 1,
    TCPI_OPT_SACK: 2,
    TCPI_OPT_WSCALE: 4,
    TCPI_OPT_ECN: 8,
    TCPI_OPT_ECN_SEEN: 16,
    TCPI_OPT_SYN_DATA: 32,
    TCPI_OPT_USEC_TS: 64,
    SPLICE_F_MOVE: 1,
    SPLICE_F_NONBLOCK: 2,
    SPLICE_F_MORE: 4,
  }),
]);

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** 'EAGAIN' for 11. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? String(errno);
}
