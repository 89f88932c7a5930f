import type { Message, PacketOptions, Skb, SockCommon } from '@softnet/contract';
import { ERROR_ORIGIN, SOL } from '@softnet/contract';
import { QueuedError, queueError } from '../socket-errors.ts';
import type { DatagramHost } from './datagram-host.ts';
import { stateOf } from './datagram-state.ts';

/** Linux's `SOF_TIMESTAMPING_*` of what is sent: software stamps it, tells it, and numbers what it tells. */
const STAMPING = Object.freeze({ TX_SOFTWARE: 0x2, SOFTWARE: 0x10, OPT_ID: 0x80 } as const);
/** Linux's ENOMSG: no error, and `ee_errno` of a stamp. */
const ENOMSG = 42;

/** Is this packet to be stamped? What its control messages ask for is instead of what its socket does. */
export function wantsStamp({ options }: SockCommon, packet: PacketOptions | null): boolean {
  if (options === null || (options.timestamping & STAMPING.SOFTWARE) === 0) return false;
  const asked = packet !== null && packet.timestamping >= 0 ? packet.timestamping : options.timestamping;
  return (asked & STAMPING.TX_SOFTWARE) !== 0;
}

/**
 * It has left, or was dropped, which counts too: its driver frees it. False: nothing is told.
 * DEVIATION: what is told is the time alone, as with SOF_TIMESTAMPING_OPT_TSONLY: headers and payload are written over by then.
 */
export function tellStamp(sock: SockCommon, { mac }: Skb, host: DatagramHost): boolean {
  const key = stateOf(sock).nextStamp();
  // Without a link header it never came to a device.
  if (mac < 0 || sock.options === null) return false;
  const { levels, clock } = host;
  const stampUs = clock.nowUs | 0;
  const error = new QueuedError();
  error.errno = ENOMSG;
  error.origin = ERROR_ORIGIN.TRANSMIT_STATUS;
  error.data = (sock.options.timestamping & STAMPING.OPT_ID) === 0 ? 0 : key;
  error.more = (message: Message) => levels.items.findLast(({ level }) => level === SOL.SOCKET)?.stamped?.(stampUs, message);
  return queueError(sock, error);
}
