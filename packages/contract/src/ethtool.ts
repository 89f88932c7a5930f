import type { NetDevice, RxQueue, TxQueue } from './device.ts';
import { FlowKey } from './flow.ts';
import { defineService } from './token.ts';

/** Bytes of a Toeplitz key: enough for two IPv6 addresses and two ports. */
export const RSS_KEY_BYTES = 40;
/** Entries of an indirection table. */
export const RSS_ENTRIES = 128;

/**
 * Receive-side scaling: the queue of a flow is `indirection[hash % length]`, where `hash` is Toeplitz's, of source and destination address
 * and port as they stand in the packet. `ethtool -x`. Never written to once a device has it.
 */
export class ReceiveSpread {
  /** {@link RSS_KEY_BYTES} of them. */
  readonly key: Uint8Array;
  /** Receive queues; {@link RSS_ENTRIES} of them, or another power of two. */
  readonly indirection: Uint8Array;

  constructor(key: Uint8Array, indirection: Uint8Array) {
    this.key = key;
    this.indirection = indirection;
  }
}

/** Flows evenly over so many receive queues, 1 to {@link RSS_ENTRIES}. */
export function evenIndirection(queues: number): Uint8Array {
  return Uint8Array.from({ length: RSS_ENTRIES }, (_, entry) => entry % queues);
}

/** One exact flow and where it goes: `ethtool -N`. A zero port or address in the key matches that alone: it is no wildcard. */
export class FlowRule {
  /** Its place, 0 and up; of two rules for one flow the lower wins. */
  location = 0;
  /** The flow as this host sees it: local is the destination of what is received. `ifindex` does not count. */
  readonly key: FlowKey = new FlowKey();
  /** Receive queue; -1: such packets are dropped. */
  queue = 0;
  /** Made by {@link FlowSteering}, which takes it out again when it needs the room. */
  automatic = false;
}

/** What may be left out stays as it is. */
export interface RingSizes {
  readonly rxPackets?: number;
  readonly txPackets?: number;
}

/** Who is interrupted (polled) when: after so many µs or packets, whichever comes first. 0 and 0: at once. `ethtool -C`. */
export interface Coalescing {
  /** 0 to 1,000,000. */
  readonly us?: number;
  /** 0 to 65,535. 0: packets do not count. */
  readonly packets?: number;
}

/** `ethtool -l`. */
export interface Channels {
  readonly rx?: number;
  readonly tx?: number;
}

/**
 * What `ethtool` sets; what it shows stands in the device's own fields. A **door**. Each checks, asks the driver, then tells
 * {@link DeviceListener}s SETTINGS. @throws NetError ENODEV, EINVAL saying what is out of range, EOPNOTSUPP where the driver cannot.
 */
export interface Ethtool {
  /** @throws NetError EINVAL: 1 to `maxRingPackets`. */
  setRings(device: NetDevice, sizes: RingSizes): void;
  /** Of one queue, or of all of a sort (their list). */
  setCoalescing(device: NetDevice, queues: readonly (RxQueue | TxQueue)[], coalescing: Coalescing): void;
  /** A device that is up goes down and comes up again; its RSS table is made anew where queues are missing. @throws NetError EINVAL: 1 to `maxRxQueues`, `maxTxQueues`. */
  setChannels(device: NetDevice, channels: Channels): void;
  /** @param indirection null: evenly over all queues. @param key null: the present one. @throws NetError EINVAL. */
  setSpread(device: NetDevice, key: Uint8Array | null, indirection: readonly number[] | null): void;
  /** Takes the place of a rule with its `location`. @throws NetError EINVAL: no such queue; ENOSPC: the device has no room. */
  addFlowRule(device: NetDevice, rule: FlowRule): void;
  /** @throws NetError ENOENT. */
  removeFlowRule(device: NetDevice, location: number): void;
}
export const Ethtool = defineService<Ethtool>({ name: 'ethtool', version: '1.0.0', errno: 'ENODEV' });
