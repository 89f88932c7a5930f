import type { Port, Route, SockCommon } from '@softnet/contract';
import { ERRNO, Flow, isFresh } from '@softnet/contract';
import { aim } from '../machine/flow.ts';
import { optionsOf } from '../machine/sock-options.ts';

/** The path MTU of a connected socket, bytes, as it is known now: its next packet goes by it. -ENOTCONN where there is no path. */
export function pathMtuOf(sock: SockCommon, route: Port<Route>): number {
  const use = sock.dst;
  if (use === null || use.dst === null || sock.remote3 === 0) return -ERRNO.ENOTCONN;
  if (isFresh(use)) return use.dst.mtuBytes;
  const flow = new Flow();
  aim(flow, sock.protocol, sock.local3, sock.remote3, optionsOf(sock)?.tos ?? 0, sock.options?.mark ?? 0);
  flow.oif = sock.ifindex;
  const dst = route.current.lookup(flow);
  return dst.error === 0 ? dst.mtuBytes : -dst.error;
}
