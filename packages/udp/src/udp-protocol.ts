import type { Flow, Skb, SockCommon } from '@softnet/contract';
import { CHECKSUM, IP_PROTOCOL } from '@softnet/contract';
import type { DatagramBursts, DatagramProtocol } from '@softnet/inet';
import { pull, trim } from '@softnet/skb';
import {
  pseudoHeaderSum,
  setDstPort,
  setSrcPort,
  setUdpChecksum,
  setUdpLenBytes,
  srcPort,
  UDP_CHECKSUM,
  UDP_HEADER_BYTES,
  udpLenBytes,
} from '@softnet/wire';
import type { DatagramCheck } from './datagram-check.ts';

/** UDP (RFC 768) as its sockets need it: one header of 8 bytes. */
export class UdpProtocol implements DatagramProtocol {
  readonly name = 'udp';
  readonly headerBytes = UDP_HEADER_BYTES;
  readonly peerPorts = true;
  readonly bursts: DatagramBursts;
  readonly #check: DatagramCheck;

  constructor(check: DatagramCheck, bursts: DatagramBursts) {
    this.#check = check;
    this.bursts = bursts;
  }

  number(): number {
    return IP_PROTOCOL.UDP;
  }

  check(): number {
    return 0;
  }

  write(skb: Skb, _sock: SockCommon, flow: Flow): void {
    const { view } = skb.memory;
    const at = skb.data;
    setSrcPort(view, at, flow.srcPort);
    setDstPort(view, at, flow.dstPort);
    setUdpLenBytes(view, at, skb.len);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    setUdpChecksum(view, at, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, flow.protocol, skb.len));
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((at - skb.head) << 16) | UDP_CHECKSUM;
  }

  read(skb: Skb, sock: SockCommon): boolean {
    const fault = this.#check.fault(skb, sock.protocol);
    if (fault !== null) {
      skb.memory.pool.drop(skb, fault);
      return false;
    }
    trim(skb, udpLenBytes(skb.memory.view, skb.transport));
    pull(skb, UDP_HEADER_BYTES);
    return true;
  }

  remotePort(skb: Skb): number {
    return srcPort(skb.memory.view, skb.transport);
  }
}
