import type { Port, Route, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Flow, isFresh } from '@softnet/contract';
import { sockOptions } from '../machine/sock-options.ts';

/** The path MTU of a connected socket, bytes, as it is known now: its next packet goes by it. -ENOTCONN where there is no path. */
export function pathMtuOf(sock: SockCommon, route: Port<Route>): number {
  const use = sock.dst;
  if (use === null || use.dst === null || (sock.remote0 | sock.remote1 | sock.remote2 | sock.remote3) === 0) return -ERRNO.ENOTCONN;
  if (isFresh(use)) return use.dst.mtuBytes;
  const { local0, local1, local2, local3, remote0, remote1, remote2, remote3, localPort, remotePort } = sock;
  const flow = Object.assign(new Flow(), {
    ...{ family: ADDRESS_FAMILY.INET6, protocol: sock.protocol, oif: sock.ifindex, tos: sockOptions(sock)?.trafficClass ?? 0 },
    ...{ src0: local0, src1: local1, src2: local2, src3: local3, srcPort: localPort },
    ...{ dst0: remote0, dst1: remote1, dst2: remote2, dst3: remote3, dstPort: remotePort },
    ...{ mark: sock.options?.mark ?? 0, uid: sock.options?.uid ?? 0 },
  });
  const dst = route.current.lookup(flow);
  return dst.error === 0 ? dst.mtuBytes : -dst.error;
}
