import type { NetDevice, RxQueue, TxQueue } from './device.ts';
import type { FlowRule, ReceiveSpread } from './ethtool.ts';
import type { FlowKey } from './flow.ts';
import type { Skb } from './skb.ts';
import type { SkbQueue } from './skb-queue.ts';

/** A driver, as the registry calls it. **Corridors**. Linux's `struct net_device_ops`. */
export interface DeviceOps {
  /** Goes up: ready to send and receive. @throws NetError: it stays down. */
  open(device: NetDevice): void;
  /** Goes down: no packet is handed up or kept after it returns. */
  stop(device: NetDevice): void;
  /**
   * Takes packets from the front of `batch`, link headers written. What it leaves stays in order, and it has set
   * `queue.stopped` then; it calls `DeviceTraffic.wake` when there is room. It owns what it took, frees it when it is
   * sent, and tells `DeviceTraffic.completed`. It never calls receive (one direction). What it gives to somebody else instead of freeing it
   * (backlog, another device), it passes on first: `passOn(skb, 'driver')` of the skb package, which costs nothing in production.
   */
  transmit(queue: TxQueue, batch: SkbQueue): void;
  /** Somebody removes it: let go of it, `unregister` follows. Absent: it goes with its driver only. Linux's `dellink`. */
  remove?(device: NetDevice): void;
  /** Which transmit queue. Default: by priority, then hash. */
  selectQueue?(device: NetDevice, skb: Skb): number;
  /** Each is asked before the field is changed. @throws NetError: the change is refused. */
  setMtu?(device: NetDevice, mtuBytes: number): void;
  setAddress?(device: NetDevice, address: Uint8Array): void;
  setFeatures?(device: NetDevice, features: number): void;
  /** Flags PROMISC or ALLMULTI, or the link addresses to listen to, have changed. */
  setReceiveMode?(device: NetDevice, groups: readonly Uint8Array[]): void;
  /** Steers a flow to a receive queue; priority 0 to 15. False: no room for the rule. Linux's `ndo_rx_flow_steer`. */
  steer?(device: NetDevice, key: FlowKey, queue: number, priority: number): boolean;
  // What `ethtool` sets (`ethtool.ts`). Values are checked, the device has them when the call has returned. Absent: EOPNOTSUPP.
  /** How many packets each queue has room for. What waits stays. */
  setRings?(device: NetDevice, rxPackets: number, txPackets: number): void;
  /** Interrupt moderation of one queue, either sort. */
  setCoalescing?(queue: RxQueue | TxQueue, us: number, packets: number): void;
  /** Makes `rxQueues` and `txQueues` anew. The device is down meanwhile. */
  setChannels?(device: NetDevice, rxQueues: number, txQueues: number): void;
  setSpread?(device: NetDevice, spread: ReceiveSpread): void;
  setFlowRules?(device: NetDevice, rules: readonly FlowRule[]): void;
}

/**
 * What has all that a device receives, for a device stacked on it: a fault injector, a bridge. One a device, in `NetDevice.above`. Its
 * maker clears it before it goes, and when the device below goes. Linux's `rx_handler`.
 */
export interface ReceiveHandler {
  /** Of who made it, for {@link CurrentOwner}. */
  readonly owner: number;
  /** Takes the whole batch, each with `data` at the link header, as from a driver. It hands them up from a poll of its own (one direction). */
  receive(queue: RxQueue, batch: SkbQueue): void;
}

/** How frames look on a kind of link: Ethernet's is shared by all its drivers. Stateless. Linux's `struct header_ops`. */
export interface LinkLayer {
  /** Bytes of a link address: 6, or 0 where links have none. */
  readonly addressLen: number;
  /** Bytes of its header, before VLAN tags. */
  readonly headerBytes: number;
  /**
   * Writes the header before `skb.data` and moves it there; sets `skb.mac`. There is room.
   * @param source null: the device's own address.
   */
  write(skb: Skb, device: NetDevice, ethertype: number, destination: Uint8Array, source: Uint8Array | null): void;
  /**
   * Takes the header off a received frame: sets `skb.mac`, `data`, `network`, `protocol`, `type`, `vlan`. False: too short.
   * Linux's `eth_type_trans`.
   */
  read(skb: Skb, device: NetDevice): boolean;
}
