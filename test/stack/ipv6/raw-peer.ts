import type { ModuleContext, NetDevice, Port, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceKind, Devices, DeviceTraffic, defineService, ETHERTYPE, Module, one, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import { emitNeighbour } from '@softnet/ipv6/testing';
