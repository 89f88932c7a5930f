import type { DeviceOps, LinkLayer, ReceiveHandler } from './device-ops.ts';
import type { DstUse } from './dst.ts';
import type { FlowRule, ReceiveSpread } from './ethtool.ts';
import type { Objects } from './held.ts';
import { Held } from './held.ts';
import type { Qdisc } from './qdisc.ts';

/**
 * A network interface. Made by a driver, who holds it in a kind of its own; given its `ifindex` by {@link Devices}. Drivers
 * write `ext` and their statistics; everybody else only reads. Linux's `struct net_device`.
 */
export class NetDevice extends Held {
  /** 1 and up, never used twice in a kernel. 0: not registered. */
  ifindex = 0;
  /** 'eth0': at most 15 characters. */
  name = '';
  /** Link type, as ARP and captures number it: one of {@link LINK_TYPE}. */
  type = 0;
  /** What made it: 'wire', as {@link DeviceKind} calls it. */
  kind = '';
  ops: DeviceOps;
  link: LinkLayer;
  /** Has all that is received, in the place of GRO, hooks and layers: a device stacked on this one. Set and cleared by its driver. */
  above: ReceiveHandler | null = null;
  /**
   * Whose cached dsts go by it, or by a device stacked on it: `Route.attach` derives a use here too, so that its driver waits for them.
   * Set by the driver; null: nobody waits.
   */
  uses: Objects<DstUse> | null = null;
  /** Link address and broadcast address, `addressLen` bytes. */
  address: Uint8Array;
  broadcast: Uint8Array;
  addressLen: number;
  /** Largest packet without link header, and its bounds. */
  mtuBytes = 1500;
  minMtuBytes = 68;
  maxMtuBytes = 65535;
  /** Bytes before and behind a packet that link and driver want, headers included. */
  headroomBytes = 0;
  tailroomBytes = 0;
  /** Bits of {@link DEVICE_FLAG}. RUNNING is not among them: it is derived (row S5). */
  flags = 0;
  /** One of `OPERSTATE`; written by the registry only. */
  operstate = 0;
  /** Link addresses of groups that it listens to, replaced whole; and how many want all groups, all frames. Written by `LinkGroups` only. */
  groups: readonly LinkGroup[] = [];
  allGroupsUsers = 0;
  allFramesUsers = 0;
  carrier = false;
  dormant = false;
  /** The device below (VLAN, tunnel); null: none. Its state goes up the stack. */
  lower: NetDevice | null = null;
  /** Bits of {@link DEVICE_FEATURE} in force, and those that may be switched on. */
  features = 0;
  hardwareFeatures = 0;
  /** Longest burst that it segments itself, bytes of payload and headers. */
  gsoMaxBytes = 65536;
  gsoMaxSegs = 64;
  txQueues: readonly TxQueue[] = [];
  rxQueues: readonly RxQueue[] = [];
  /** How many of each its driver can make: `ethtool -l`. */
  maxTxQueues = 1;
  maxRxQueues = 1;
  /** By which received flows are spread over its receive queues; null: it does not spread them. Replaced whole. */
  rss: ReceiveSpread | null = null;
  /** Exact flows that go to queues of their own, or nowhere, before RSS; in order of their `location`. Replaced whole. */
  flowRules: readonly FlowRule[] = [];
  /** The root qdisc that `tc` shows. Null while the device is down. Queues send through their own cell. */
  qdisc: Qdisc | null = null;
  /** Packets that wait in the qdisc, at most, by default. */
  txQueueLen = 1000;
  stats = new DeviceStats();
  /** The driver's own. */
  ext: object | null = null;

  constructor(ops: DeviceOps, link: LinkLayer) {
    super();
    this.ops = ops;
    this.link = link;
    this.addressLen = link.addressLen;
    this.address = new Uint8Array(link.addressLen);
    this.broadcast = new Uint8Array(link.addressLen);
  }
}

/** A link address that a device listens to beside its own. */
export interface LinkGroup {
  readonly address: Uint8Array;
  /** How many want it. */
  readonly users: number;
}

/** IFF_RUNNING, derived: up, with carrier, not dormant (RFC 2863 §3.1.12). */
export function isRunning(device: NetDevice): boolean {
  return (device.flags & DEVICE_FLAG.UP) !== 0 && device.carrier && !device.dormant;
}

/** A transmit queue: the way from a qdisc to the driver. */
export class TxQueue {
  device: NetDevice;
  index: number;
  /** What packets for this queue are put into: the root, or this queue's own below `mq`. The root-qdisc cell; null while down. */
  qdisc: Qdisc | null = null;
  /** The driver is full: it takes nothing until it calls `DeviceTraffic.wake`. */
  stopped = false;
  /** Given to the driver and not completed, and how much may be (Linux's BQL). 0: no limit. */
  inFlightBytes = 0;
  limitBytes = 0;
  /** Highest `skb.priority` class served here, 0 to 15, where queues go by priority (row S6). */
  priority = 0;
  /** Completions are told at the latest after so many µs or packets; 0: at once. `ethtool -C`. */
  coalesceUs = 0;
  coalescePackets = 0;
  /** Packets that the driver has room for, and may have at most. 0: its driver has no such limit. `ethtool -g`. */
  ringPackets = 0;
  maxRingPackets = 0;
  packets = 0;
  bytes = 0;
  /** The registry's own, while its device is registered. */
  sender: object | null = null;
  /** The driver's own. */
  ext: object | null = null;

  constructor(device: NetDevice, index: number) {
    this.device = device;
    this.index = index;
  }
}

/** A receive queue: what one poll source drains. */
export class RxQueue {
  device: NetDevice;
  index: number;
  /** The shard that polls it. */
  shard = 0;
  priority = 0;
  /** The poll is raised at the latest after so many µs or packets; 0: at once. */
  coalesceUs = 0;
  coalescePackets = 0;
  /** Received packets that wait for the stack, at most; and the most that this can be set to. `ethtool -g`. */
  ringPackets = 0;
  maxRingPackets = 0;
  packets = 0;
  bytes = 0;
  /** Received, and dropped as the ring was full. */
  dropped = 0;
  ext: object | null = null;

  constructor(device: NetDevice, index: number) {
    this.device = device;
    this.index = index;
  }
}

/** Linux's `rtnl_link_stats64`; exact up to 2⁵³. Beyond 2³¹ V8 keeps a field in a box that is written in place: no garbage. */
export class DeviceStats {
  rxPackets = 0;
  txPackets = 0;
  rxBytes = 0;
  txBytes = 0;
  rxErrors = 0;
  txErrors = 0;
  rxDropped = 0;
  txDropped = 0;
  multicast = 0;
  rxMissed = 0;
}

/** Linux's `ARPHRD_*`. Open. */
export const LINK_TYPE = Object.freeze({ ETHER: 1, TUNNEL: 768, LOOPBACK: 772, NONE: 0xfffe } as const);

/** Linux's `IFF_*`. */
export const DEVICE_FLAG = Object.freeze({
  /** Administratively up. */
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MULTICAST: 0x1000,
} as const);

/** What a device does by itself. The GSO bits are also `skb.gsoType`: it takes an uncut packet if it has all of them. */
export const DEVICE_FEATURE = Object.freeze({
  /** Checksums that are PARTIAL, of any protocol at any offset. */
  TX_CHECKSUM: 0x1,
  RX_CHECKSUM: 0x2,
  /** Packets with fragments. */
  SCATTER: 0x4,
  VLAN_TX: 0x8,
  VLAN_RX: 0x10,
  GRO: 0x20,
  HEADER_SPLIT: 0x40,
  RX_HASH: 0x80,
  FLOW_STEERING: 0x100,
  /** Hands up packets that stand for several (`gsoSize`), as they came from a peer that cuts nothing. Linux's LRO. */
  RX_GSO: 0x200,
  GSO_TCPV4: 0x1000,
  GSO_TCPV6: 0x2000,
  GSO_UDP: 0x4000,
  /** TCP with CWR on the first segment only (RFC 3168). */
  GSO_TCP_ECN: 0x8000,
  /** Inside a tunnel. */
  GSO_TUNNEL: 0x10000,
  /** Of any other protocol: devices that pass packets on in this process. */
  GSO_ANY: 0x20000,
} as const);
