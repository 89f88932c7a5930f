import { ADDRESS_FAMILY } from './address-family.ts';
import { ERRNO } from './errno.ts';
import type { SockAddress } from './message.ts';
import type { SockCommon } from './sock-common.ts';
import { SOCK_TYPE } from './sock-common.ts';

/** Of a stream that is connecting, by TCP's numbers: whom it has asked is not its peer yet. */
const SYN_SENT = 2;

/**
 * One end of a socket as its address: getsockname, and with `remote` getpeername: they are one function (row I6), as the ends
 * are fields. 0, or -ENOTCONN: it has no peer, or not yet; -EOPNOTSUPP: as Linux says it of packet sockets, which never have one. Of IP sockets; other families' faces read the fields as they mean them.
 */
export function readEnd(sock: SockCommon, remote: boolean, into: SockAddress): number {
  if (remote && sock.family === ADDRESS_FAMILY.PACKET) return -ERRNO.EOPNOTSUPP;
  if (remote && sock.ops.type === SOCK_TYPE.STREAM && sock.state === SYN_SENT) return -ERRNO.ENOTCONN;
  if (remote && (sock.remote0 | sock.remote1 | sock.remote2 | sock.remote3) === 0) return -ERRNO.ENOTCONN;
  into.family = sock.family;
  into.address0 = remote ? sock.remote0 : sock.local0;
  into.address1 = remote ? sock.remote1 : sock.local1;
  into.address2 = remote ? sock.remote2 : sock.local2;
  into.address3 = remote ? sock.remote3 : sock.local3;
  into.port = remote ? sock.remotePort : sock.localPort;
  into.ifindex = sock.ifindex;
  return 0;
}
