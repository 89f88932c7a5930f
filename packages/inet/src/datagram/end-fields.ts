import type { Flow, SockCommon } from '@softnet/contract';

// The fields of a socket's ends, written together.

export function setLocal(sock: SockCommon, word0: number, word1: number, word2: number, word3: number): void {
  sock.local0 = word0;
  sock.local1 = word1;
  sock.local2 = word2;
  sock.local3 = word3;
}

export function setRemote(sock: SockCommon, flow: Flow): void {
  sock.remote0 = flow.dst0;
  sock.remote1 = flow.dst1;
  sock.remote2 = flow.dst2;
  sock.remote3 = flow.dst3;
  sock.remotePort = flow.dstPort;
}

export function clearRemote(sock: SockCommon): void {
  sock.remote0 = 0;
  sock.remote1 = 0;
  sock.remote2 = 0;
  sock.remote3 = 0;
  sock.remotePort = 0;
}

export function clearSource(flow: Flow): void {
  flow.src0 = 0;
  flow.src1 = 0;
  flow.src2 = 0;
  flow.src3 = 0;
}
