import type { SockCommon } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { stateName } from '../machine/state.ts';

/** 'ESTABLISHED 10.0.0.1:80 ← 10.0.0.2:4711', 'LISTEN *:80'. */
export function describeSocket(sock: SockCommon): string {
  const { family, local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = sock;
  const isAny = (local0 | local1 | local2 | local3) === 0;
  const here = isAny ? '*' : formatAddress(family, local0, local1, local2, local3);
  const words = `${stateName(sock.state)} ${withPort(here, sock.localPort)}`;
  if ((remote0 | remote1 | remote2 | remote3) === 0) return words;
  return `${words} ← ${withPort(formatAddress(family, remote0, remote1, remote2, remote3), sock.remotePort)}`;
}

function withPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
