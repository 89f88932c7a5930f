import type { CurrentOwner, Devices, NetDevice, Objects } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FEATURE, DEVICE_FLAG, NetError } from '@softnet/contract';
import { checkAddress, checkDevice, checkFeatures, checkFlags, checkMtu } from './device-checks.ts';
import type { DeviceListeners } from './device-listeners.ts';
import { chooseName } from './device-name.ts';
import type { DeviceTable } from './device-table.ts';
import { addressesOf, LinkGroups } from './link-groups.ts';
import type { LinkState } from './link-state.ts';
import { Registration } from './registration.ts';
import type { Transmitter } from './transmitter.ts';

/** What the registry works with. */
export interface RegistryParts {
  readonly table: DeviceTable;
  readonly listeners: DeviceListeners;
  readonly link: LinkState;
  readonly transmitter: Transmitter;
  readonly current: CurrentOwner;
  /** By device; each is held as long as its device is registered. */
  readonly registrations: Map<NetDevice, Registration>;
  readonly held: Objects<Registration>;
}

const RECEIVE_MODE = DEVICE_FLAG.PROMISC | DEVICE_FLAG.ALLMULTI;

/** The registry of devices: what is asked for is checked, the driver is asked, it is done, then all are told. */
export class Registry implements Devices {
  /** What devices listen to. */
  readonly groups: LinkGroups = new LinkGroups((device, flagsChanged) => {
    this.#receiveMode(device);
    if (flagsChanged && this.#parts.table.has(device)) this.tell(device, DEVICE_EVENT.CHANGE);
  });
  readonly #parts: RegistryParts;
  readonly #shut: boolean;

  /** @param shut what stands in from stage 1 on: no device comes in; those that are there can be changed, taken down and taken out. */
  constructor(parts: RegistryParts, shut: boolean) {
    this.#parts = parts;
    this.#shut = shut;
  }

  register(device: NetDevice): void {
    const { table, link, transmitter, held, registrations } = this.#parts;
    const { module } = held;
    if (this.#shut) {
      throw new NetError('ESHUTDOWN', `${module} is leaving, so '${device.name}' cannot be registered: wait for its next load`, { module });
    }
    checkDevice(device);
    const name = chooseName(device.name, device, table.names);
    this.#parts.listeners.catchUp();
    const registration = new Registration(device);
    held.hold(registration, { name: device.holdOwner?.name ?? device.kind }, 'netdev.register');
    registrations.set(device, registration);
    // Done here for every device; Linux's NETIF_F_SOFT_FEATURES.
    device.hardwareFeatures |= DEVICE_FEATURE.GRO;
    device.features |= DEVICE_FEATURE.GRO;
    table.admit(device, name);
    transmitter.plug(device);
    link.follow(device);
    link.derive(device);
    this.tell(device, DEVICE_EVENT.REGISTER);
    link.presence(device);
  }

  /** A device that the last generation had, as it stands: nobody is told, as nothing changes. */
  adopt(registration: Registration): void {
    const { table, transmitter, registrations } = this.#parts;
    const { device } = registration;
    registrations.set(device, registration);
    table.add(device);
    transmitter.adopt(device);
  }

  /** Does nothing where it is not registered (any more). Who is stacked on it hears of it, and lets go. */
  unregister(device: NetDevice): void {
    const { table, link, transmitter, held, registrations } = this.#parts;
    if (!table.has(device)) return;
    this.close(device);
    table.remove(device);
    held.release(registrations.get(device)!);
    registrations.delete(device);
    transmitter.unplug(device.txQueues);
    try {
      this.tell(device, DEVICE_EVENT.UNREGISTER);
    } finally {
      device.ifindex = 0;
      device.above = null;
      link.presence(device);
    }
  }

  open(device: NetDevice): void {
    this.check(device);
    if (isUp(device)) return;
    const { link, transmitter } = this.#parts;
    this.ask(device, () => device.ops.open(device));
    device.flags |= DEVICE_FLAG.UP;
    if (device.groups.length > 0) this.#receiveMode(device);
    transmitter.attach(device);
    link.derive(device);
    this.tell(device, DEVICE_EVENT.UP);
    link.spread(device);
  }

  close(device: NetDevice): void {
    this.check(device);
    if (!isUp(device)) return;
    const { link, transmitter } = this.#parts;
    this.tell(device, DEVICE_EVENT.GOING_DOWN);
    device.flags &= ~DEVICE_FLAG.UP;
    transmitter.detach(device);
    this.ask(device, () => device.ops.stop(device));
    link.derive(device);
    this.tell(device, DEVICE_EVENT.DOWN);
    link.spread(device);
  }

  setMtu(device: NetDevice, mtuBytes: number): void {
    this.check(device);
    checkMtu(device, mtuBytes);
    if (mtuBytes === device.mtuBytes) return;
    this.ask(device, () => device.ops.setMtu?.(device, mtuBytes));
    device.mtuBytes = mtuBytes;
    this.tell(device, DEVICE_EVENT.MTU);
  }

  setAddress(device: NetDevice, address: Uint8Array): void {
    this.check(device);
    checkAddress(device, address);
    this.ask(device, () => device.ops.setAddress?.(device, address));
    device.address.set(address);
    this.tell(device, DEVICE_EVENT.ADDRESS);
  }

  setFeatures(device: NetDevice, features: number): void {
    this.check(device);
    checkFeatures(device, features);
    if (features === device.features) return;
    this.ask(device, () => device.ops.setFeatures?.(device, features));
    device.features = features;
    this.tell(device, DEVICE_EVENT.FEATURES);
  }

  /** Flags that say what a device is (LOOPBACK, BROADCAST, POINTOPOINT) stay as they are. UP: {@link open} and {@link close}. */
  setFlags(device: NetDevice, flags: number): void {
    this.check(device);
    checkFlags(device, flags);
    const { UP } = DEVICE_FLAG;
    const before = device.flags;
    const modes = this.groups.setByHand(device, before, flags);
    device.flags = (flags & ~(UP | RECEIVE_MODE)) | modes | (before & UP);
    const changed = before ^ device.flags;
    if ((changed & RECEIVE_MODE) !== 0) this.#receiveMode(device);
    if (changed !== 0) this.tell(device, DEVICE_EVENT.CHANGE);
    if ((flags & DEVICE_FLAG.UP) !== 0) this.open(device);
    else this.close(device);
  }

  /** The driver learns what to listen to; a device that is gone listens to nothing. */
  #receiveMode(device: NetDevice): void {
    if (this.#parts.table.has(device)) this.ask(device, () => device.ops.setReceiveMode?.(device, addressesOf(device)));
  }

  /** Also while it is up. @param name may have a '%d'. */
  rename(device: NetDevice, name: string): void {
    this.check(device);
    const chosen = chooseName(name, device, this.#parts.table.names);
    if (chosen === device.name) return;
    this.#parts.table.rename(device, chosen);
    this.tell(device, DEVICE_EVENT.NAME);
  }

  remove(device: NetDevice): void {
    this.check(device);
    if (device.ops.remove === undefined) {
      throw new NetError('EOPNOTSUPP', `'${device.name}' goes with its driver only: unload the module that made it`);
    }
    this.close(device);
    this.ask(device, () => device.ops.remove?.(device));
    this.unregister(device);
  }

  /** It is registered; and whoever came lately knows it, before it changes. @throws NetError ENODEV. */
  check(device: NetDevice): void {
    this.#parts.listeners.catchUp();
    if (this.#parts.table.has(device)) return;
    throw new NetError('ENODEV', `the device '${device.name}' is not registered`);
  }

  /** Calls the driver, as its module. */
  ask(device: NetDevice, call: () => void): void {
    const { current } = this.#parts;
    const caller = current.id;
    current.id = device.holdKind?.owner ?? caller;
    try {
      call();
    } finally {
      current.id = caller;
    }
  }

  tell(device: NetDevice, event: number): void {
    this.#parts.listeners.tell(device, event);
  }
}

function isUp(device: NetDevice): boolean {
  return (device.flags & DEVICE_FLAG.UP) !== 0;
}
