import type { SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, Message, SOCK_TYPE, Sockets } from '@softnet/contract';
import { SOL_UDP, UDP_OPTION } from '@softnet/udp';
import { BurstHost, FAR, NEAR } from '../../stack/offload/burst-host.ts';
import { arrivalOf, shot } from '../../stack/offload/frames.ts';
import type { Loop } from '../span.ts';

/** A poll's budget. */
const BATCH = 64;
const WARM_UP = 200_000;
const LEN_BYTES = 1400;

/**
 * Who has what was received: a device behind a router, or a socket, which takes datagrams one by one or as they come; or one by one where just
 * another socket has asked for merged ones, so that it is looked up for each (net.udp.gro 1).
 */
export type Receiver = 'forward' | 'socket' | 'socket-whole' | 'socket-beside';

/** Frames of one flow that come in batches of {@link BATCH}. @param gro they are merged. @param features of the device that they leave by. */
export async function mergedLoop(receiver: Receiver, gro: boolean, features = 0, family: number = ADDRESS_FAMILY.INET): Promise<Loop> {
  const host = await BurstHost.boot({ gro, features });
  host.sent.out.keeps = false;
  const [src, far, near] = family === ADDRESS_FAMILY.INET ? [NEAR[0], FAR[0], '10.0.1.1'] : [NEAR[1], FAR[2], 'fd00:1::1'];
  const here = receiver === 'forward' ? { src, dst: far } : { src, dst: near, dstPort: 7 };
  const arrivals = Array.from({ length: BATCH }, (_, i) => arrivalOf(shot({ ...here, lenBytes: LEN_BYTES, id: i, salt: i })));
  const sock = receiver === 'forward' ? null : open(host, family, 7, receiver === 'socket-whole');
  if (receiver === 'socket-beside') {
    open(host, family, 8, true);
    host.kernel.sysctl.set('net.udp.gro', 1);
  }
  const message = Object.assign(new Message(), { data: new Uint8Array(65_535) });
  const loop = (n: number): number => {
    let bytes = 0;
    for (let left = n; left > 0; left -= BATCH) {
      host.poll(arrivals);
      if (sock !== null) bytes += readAll(sock.ops.calls!, sock, message);
    }
    return bytes + host.sent.out.count;
  };
  loop(WARM_UP);
  return loop;
}

function open(host: BurstHost, family: number, port: number, whole: boolean): SockCommon {
  const sock = host.kernel.port(Sockets).current.open(family, SOCK_TYPE.DGRAM, 0, host.host);
  const address = Object.assign(new Message().address, { family, address2: family === ADDRESS_FAMILY.INET ? 0xffff : 0, port });
  if (sock.ops.calls!.bind(sock, address) < 0) throw new Error('not bound');
  if (whole) sock.ops.calls!.setOption(sock, SOL_UDP, UDP_OPTION.GRO, Uint8Array.of(1, 0, 0, 0));
  return sock;
}

/** Takes the packets themselves: the copy out is the same, merged or not. */
function readAll(calls: SocketCalls, sock: SockCommon, message: Message): number {
  let bytes = 0;
  for (;;) {
    message.flags = MESSAGE_FLAG.SKB;
    const got = calls.receive(sock, message);
    if (got === -ERRNO.EAGAIN) return bytes;
    if (got < 0) throw new Error(`receive: ${got}`);
    bytes += got;
    message.skb!.memory.pool.release(message.skb!);
  }
}
