import type { Flow, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, IP_PROTOCOL, SOCK_FLAG } from '@softnet/contract';
import type { DatagramBursts, DatagramProtocol } from '@softnet/inet';
import { datagramOptions } from '@softnet/inet';
import { pull, trim } from '@softnet/skb';
import {
  dstPort,
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

  write(skb: Skb, sock: SockCommon, flow: Flow): void {
    const { view } = skb.memory;
    const at = skb.data;
    setSrcPort(view, at, flow.srcPort);
    setDstPort(view, at, flow.dstPort);
    setUdpLenBytes(view, at, skb.len);
    // RFC 768: zero says that there is none; over IPv6 by RFC 6935 §5, for who has asked for it.
    if (flow.family === ADDRESS_FAMILY.INET ? (sock.flags & SOCK_FLAG.NO_CHECK) !== 0 : datagramOptions(sock).unsummedSent) {
      setUdpChecksum(view, at, 0);
      return;
    }
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    setUdpChecksum(view, at, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, flow.protocol, skb.len));
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((at - skb.head) << 16) | UDP_CHECKSUM;
  }

  read(skb: Skb, sock: SockCommon): boolean {
    const fault = this.#check.fault(skb, sock.protocol, datagramOptions(sock).unsummedReceived);
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

  sentPort(skb: Skb): number {
    return dstPort(skb.memory.view, skb.transport);
  }
}
