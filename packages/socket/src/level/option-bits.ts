import { SO, SOCK_FLAG } from '@softnet/contract';
import { TOLD } from './packet-times.ts';

/** Options that are one bit of `sock.flags`. */
export const FLAG_OF: Readonly<Record<number, number>> = Object.freeze({
  [SO.REUSEADDR]: SOCK_FLAG.REUSEADDR,
  [SO.REUSEPORT]: SOCK_FLAG.REUSEPORT,
  [SO.BROADCAST]: SOCK_FLAG.BROADCAST,
  [SO.KEEPALIVE]: SOCK_FLAG.KEEPALIVE,
  [SO.DONTROUTE]: SOCK_FLAG.DONTROUTE,
  [SO.OOBINLINE]: SOCK_FLAG.OOBINLINE,
  [SO.NO_CHECK]: SOCK_FLAG.NO_CHECK,
  [SO.SELECT_ERR_QUEUE]: SOCK_FLAG.SELECT_ERRORS,
});

/** What is told of each packet that is received, by one bit of `SockOptions.ancillary`. */
export const TOLD_OF: Readonly<Record<number, number>> = Object.freeze({
  [SO.RXQ_OVFL]: TOLD.OVERFLOWS,
  [SO.RCVMARK]: TOLD.MARK,
});
