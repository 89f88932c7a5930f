import type { NetDevice } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FLAG } from '@softnet/contract';
import type { DeviceListeners } from './device-listeners.ts';
import type { DeviceTable } from './device-table.ts';
import { carriesOthers, deriveOperstate } from './operstate.ts';
import type { Transmitter } from './transmitter.ts';

/** Carrier, dormant and what follows from them, up the stack of devices (row S5). */
export class LinkState {
  readonly #table: DeviceTable;
  readonly #listeners: DeviceListeners;
  readonly #transmitter: Transmitter;

  constructor(table: DeviceTable, listeners: DeviceListeners, transmitter: Transmitter) {
    this.#table = table;
    this.#listeners = listeners;
    this.#transmitter = transmitter;
  }

  setCarrier(device: NetDevice, on: boolean): void {
    this.#set(device, on, device.dormant);
  }

  setDormant(device: NetDevice, on: boolean): void {
    this.#set(device, device.carrier, on);
  }

  /** A device is registered, or those below it have changed: it has of the one below what that has. */
  follow(device: NetDevice): void {
    const { lower } = device;
    if (lower !== null) this.#set(device, carriesOthers(lower), lower.dormant);
  }

  /** Flags UP, carrier or dormant have changed: derives the operstate. Those above follow by {@link spread}. */
  derive(device: NetDevice): void {
    device.operstate = deriveOperstate(device);
  }

  /** Those stacked on it follow. */
  spread(device: NetDevice): void {
    for (const other of this.#table.all) if (other.lower === device) this.follow(other);
  }

  /** It came, or was taken out: those stacked on it cannot see that by its carrier. */
  presence(device: NetDevice): void {
    for (const other of this.#table.all) {
      if (other.lower !== device) continue;
      const before = other.operstate;
      this.derive(other);
      if (other.operstate !== before) this.#listeners.tell(other, DEVICE_EVENT.CHANGE);
    }
  }

  #set(device: NetDevice, carrier: boolean, dormant: boolean): void {
    if (device.carrier === carrier && device.dormant === dormant) return;
    this.#listeners.catchUp();
    device.carrier = carrier;
    device.dormant = dormant;
    if (!this.#table.has(device)) return;
    this.derive(device);
    if (!carrier) this.#transmitter.reset(device);
    // Of a device that is down nobody wants to know: UP follows.
    if ((device.flags & DEVICE_FLAG.UP) !== 0) this.#listeners.tell(device, DEVICE_EVENT.CHANGE);
    this.spread(device);
  }
}
