import type { DeviceOps, DropReason, NetDevice, SkbQueue, TxQueue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { DeviceDriver } from './device-driver.ts';

/** What {@link DriverOps} tells whoever keeps a driver's devices. */
export interface DriverOpsHost {
  opening(device: NetDevice): void;
  stopped(device: NetDevice): void;
  /** Somebody removes it; the registry takes it out by itself. */
  removed(device: NetDevice): void;
}

/** The registry's calls, passed on to what works the device. One for all devices of a module. */
export class DriverOps implements DeviceOps {
  /** Absent where devices go with their module only. */
  readonly remove?: (device: NetDevice) => void;
  readonly #host: DriverOpsHost;
  readonly #gone: DropReason;

  constructor(host: DriverOpsHost, gone: DropReason, removable: boolean) {
    this.#host = host;
    this.#gone = gone;
    if (removable) this.remove = (device) => host.removed(device);
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

  setReceiveMode(device: NetDevice, groups: readonly Uint8Array[]): void {
    driverOf(device)?.setReceiveMode?.(groups);
  }
}

/** Null once the device is gone. */
export function driverOf(device: NetDevice): DeviceDriver | null {
  return device.ext as DeviceDriver | null;
}
