import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import type { ModuleSource } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule, PcapModule, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { UdpModule } from '@softnet/udp';
import { KernelTimeModule } from './kernel-time.ts';

/** The modules of a host, in an order in which they can be loaded. */
export const HOST_STACK: readonly ModuleSource[] = Object.freeze([
  KernelTimeModule,
  SkbModule,
  NetdevModule,
  SocketModule,
  RouteModule,
  LoopbackModule,
  WireModule,
  PcapModule,
  Ipv4Module,
  Ipv6Module,
  UdpModule,
]);
