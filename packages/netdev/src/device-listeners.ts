import type { Contributions, CurrentOwner, DeviceListener, NetDevice } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FLAG } from '@softnet/contract';
import type { DeviceTable } from './device-table.ts';

/** Who is told what happens to devices. A listener that comes later hears first of those that are there. */
export class DeviceListeners {
  readonly #listeners: Contributions<DeviceListener>;
  readonly #table: DeviceTable;
  readonly #current: CurrentOwner;
  /** The array of those who know of all devices. */
  #seen: readonly DeviceListener[] = [];
  #left = false;

  constructor(listeners: Contributions<DeviceListener>, table: DeviceTable, current: CurrentOwner) {
    this.#listeners = listeners;
    this.#table = table;
    this.#current = current;
  }

  /** @param event one of `DEVICE_EVENT`. */
  tell(device: NetDevice, event: number): void {
    const { items, owners } = this.#listeners;
    const failure = new FirstFailure(this.#current);
    for (let i = 0; i < items.length; i++) this.#call(items[i]!, owners[i]!, device, event, failure);
    failure.rethrow();
  }

  /** Those who are there now know of all devices: the last generation told them. */
  allKnow(): void {
    this.#seen = this.#listeners.items;
  }

  /** The next generation tells. */
  leave(): void {
    this.#left = true;
  }

  /** Tells newcomers, if there are some, of all devices. Done before devices change, and when listeners have. */
  catchUp(): void {
    const { items, owners } = this.#listeners;
    const known = this.#seen;
    if (items === known) return;
    this.#seen = items;
    if (this.#left) return;
    const failure = new FirstFailure(this.#current);
    for (let i = 0; i < items.length; i++) {
      if (!known.includes(items[i]!)) this.#introduce(items[i]!, owners[i]!, failure);
    }
    failure.rethrow();
  }

  #introduce(listener: DeviceListener, owner: number, failure: FirstFailure): void {
    for (const device of this.#table.all) {
      this.#call(listener, owner, device, DEVICE_EVENT.REGISTER, failure);
      if ((device.flags & DEVICE_FLAG.UP) !== 0) this.#call(listener, owner, device, DEVICE_EVENT.UP, failure);
    }
  }

  #call(listener: DeviceListener, owner: number, device: NetDevice, event: number, failure: FirstFailure): void {
    const caller = this.#current.id;
    this.#current.id = owner;
    try {
      listener.deviceChanged(device, event);
    } catch (error) {
      failure.note(error, owner);
    }
    this.#current.id = caller;
  }
}

/** A listener that throws must not keep the others from hearing. What the first one threw is thrown when all have heard, as its own. */
class FirstFailure {
  readonly #current: CurrentOwner;
  #owner = 0;
  #error: unknown = null;
  #failed = false;

  constructor(current: CurrentOwner) {
    this.#current = current;
  }

  note(error: unknown, owner: number): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#owner = owner;
  }

  rethrow(): void {
    if (!this.#failed) return;
    this.#current.id = this.#owner;
    throw this.#error;
  }
}
