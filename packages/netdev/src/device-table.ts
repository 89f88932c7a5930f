import type { NetDevice } from '@softnet/contract';

/** The devices that are registered, by ifindex and by name. */
export class DeviceTable {
  /** By ifindex; replaced whole at each change. */
  all: readonly NetDevice[] = [];
  readonly #byIndex = new Map<number, NetDevice>();
  readonly #byName = new Map<string, NetDevice>();
  /** Never used twice. */
  lastIfindex = 0;

  get names(): ReadonlyMap<string, NetDevice> {
    return this.#byName;
  }

  byIndex(ifindex: number): NetDevice | null {
    return this.#byIndex.get(ifindex) ?? null;
  }

  byName(name: string): NetDevice | null {
    return this.#byName.get(name) ?? null;
  }

  has(device: NetDevice): boolean {
    return this.#byIndex.get(device.ifindex) === device;
  }

  /** A device that is new gets its number. @param name that is free. */
  admit(device: NetDevice, name: string): void {
    device.ifindex = ++this.lastIfindex;
    device.name = name;
    this.add(device);
  }

  /** One that has its number and name. */
  add(device: NetDevice): void {
    this.#byIndex.set(device.ifindex, device);
    this.#byName.set(device.name, device);
    this.all = [...this.all, device].sort((a, b) => a.ifindex - b.ifindex);
  }

  rename(device: NetDevice, name: string): void {
    this.#byName.delete(device.name);
    device.name = name;
    this.#byName.set(name, device);
  }

  remove(device: NetDevice): void {
    this.#byIndex.delete(device.ifindex);
    this.#byName.delete(device.name);
    this.all = this.all.filter((other) => other !== device);
  }
}
