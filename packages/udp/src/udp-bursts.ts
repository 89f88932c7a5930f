import type { PacketOptions, SockCommon } from '@softnet/contract';
import { DEVICE_FEATURE } from '@softnet/contract';
import type { DatagramBursts } from '@softnet/inet';
import { datagramOptions } from '@softnet/inet';

/** A socket's bursts: what is cut late when it is sent (UDP_SEGMENT), and comes whole (UDP_GRO). Linux's udp(7). */
export class UdpBursts implements DatagramBursts {
  readonly gsoType = DEVICE_FEATURE.GSO_UDP;

  sizeOf(sock: SockCommon, packet: PacketOptions | null): number {
    return packet !== null && packet.segmentBytes >= 0 ? packet.segmentBytes : datagramOptions(sock).segmentBytes;
  }

  takesWhole(sock: SockCommon): boolean {
    return datagramOptions(sock).takesMerged;
  }
}
