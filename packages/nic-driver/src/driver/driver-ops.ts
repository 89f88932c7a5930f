import type { DeviceOps, DropReason, FlowKey, FlowRule, NetDevice, ReceiveSpread, RxQueue, SkbQueue, TxQueue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { DeviceDriver, DriverSpec } from './device-driver.ts';

/** What {@link DriverOps} tells whoever keeps a driver's devices. */
export interface DriverOpsHost {
  opening(device: NetDevice): void;
  stopped(device: NetDevice): void;
  /** Somebody removes it; the registry takes it out by itself. */
  removed(device: NetDevice): void;
  /** A queue's interrupt moderation is another. */
  moderated(queue: RxQueue | TxQueue): void;
  /** Makes the queues of a device anew. */
  channels(device: NetDevice, rxQueues: number, txQueues: number): void;
  spread(device: NetDevice, spread: ReceiveSpread): void;
  /** @throws NetError ENOSPC, EOPNOTSUPP. */
  flowRules(device: NetDevice, rules: readonly FlowRule[]): void;
  steer(device: NetDevice, key: FlowKey, queue: number): boolean;
}

/** The registry's calls, passed on to what works the device. One for all devices of a module. */
export class DriverOps implements DeviceOps {
  /** Absent where devices go with their module only. */
  readonly remove?: (device: NetDevice) => void;
  /** Absent where there are none. */
  readonly setRings?: (device: NetDevice, rxPackets: number, txPackets: number) => void;
  readonly setCoalescing?: (queue: RxQueue | TxQueue, us: number, packets: number) => void;
  /** Absent where a driver's queues are as they are. */
  readonly setChannels?: (device: NetDevice, rxQueues: number, txQueues: number) => void;
  /** Absent where nobody spreads received frames. */
  readonly setSpread?: (device: NetDevice, spread: ReceiveSpread) => void;
  readonly setFlowRules?: (device: NetDevice, rules: readonly FlowRule[]) => void;
  readonly steer?: (device: NetDevice, key: FlowKey, queue: number, priority: number) => boolean;
  readonly #host: DriverOpsHost;
  readonly #gone: DropReason;

  constructor(host: DriverOpsHost, gone: DropReason, { removable, rings, channels, classifies }: DriverSpec) {
    this.#host = host;
    this.#gone = gone;
    if (removable) this.remove = (device) => host.removed(device);
    if (rings !== false) {
      this.setRings = setRings;
      this.setCoalescing = (queue, us, packets) => {
        queue.coalesceUs = us;
        queue.coalescePackets = packets;
        host.moderated(queue);
      };
    }
    if (channels === true) {
      this.setChannels = (device, rxQueues, txQueues) => {
        driverOf(device)?.setChannels?.(rxQueues, txQueues);
        host.channels(device, rxQueues, txQueues);
      };
    }
    if (classifies !== true) return;
    this.setSpread = (device, spread) => host.spread(device, spread);
    this.setFlowRules = (device, rules) => host.flowRules(device, rules);
    this.steer = (device, key, queue) => host.steer(device, key, queue);
  }

  open(device: NetDevice): void {
    driverOf(device)?.open();
    this.#host.opening(device);
  }

  stop(device: NetDevice): void {
    driverOf(device)?.stop();
    this.#host.stopped(device);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const driver = driverOf(queue.device);
    if (driver === null) purge(batch, this.#gone);
    else driver.transmit(queue, batch);
  }

  setMtu(device: NetDevice, mtuBytes: number): void {
    driverOf(device)?.setMtu?.(mtuBytes);
  }

  setAddress(device: NetDevice, address: Uint8Array): void {
    driverOf(device)?.setAddress?.(address);
  }

  setFeatures(device: NetDevice, features: number): void {
    driverOf(device)?.setFeatures?.(features);
  }

  setReceiveMode(device: NetDevice, groups: readonly Uint8Array[]): void {
    driverOf(device)?.setReceiveMode?.(groups);
  }
}

/** A ring that has no limit keeps none. */
function setRings(device: NetDevice, rxPackets: number, txPackets: number): void {
  driverOf(device)?.setRings?.(rxPackets, txPackets);
  for (const queue of device.rxQueues) queue.ringPackets = rxPackets;
  for (const queue of device.txQueues) if (queue.maxRingPackets > 0) queue.ringPackets = txPackets;
}

/** Null once the device is gone. */
export function driverOf(device: NetDevice): DeviceDriver | null {
  return device.ext as DeviceDriver | null;
}
