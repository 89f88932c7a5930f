import type { NetDevice, Setting, SysctlBranch } from '@softnet/contract';
import { DEVICE_EVENT } from '@softnet/contract';

/** How what is set for all devices and for one make one value. Linux's `IN_DEV_ORCONF` and its kin. */
export type ConfJoin = 'own' | 'or' | 'and' | 'max';

/** One setting that each device has. What is 0 to 1 is a switch: in the tree a `bool`. */
export interface ConfSpec {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly join: ConfJoin;
  readonly summary: string;
  /** Set by hand, or by another setting. @param device null: of all devices. */
  readonly changed?: (device: NetDevice | null, value: number) => void;
}

/** What one device has: settings by name. */
type Row<N extends string> = Readonly<Record<N, Setting<number> | Setting<boolean>>>;
/** What is in force there, with what `all` adds: read for each packet, so it is ready. */
type Values<N extends string> = Record<N, number>;

/**
 * Settings of single devices, `net.ipv4.conf.{all,default,eth0}.*`: a new device begins with those of `default`; what `all` adds is said by
 * {@link ConfJoin}. They come and go with their devices. A **DeviceListener** of its layer; tell it first.
 */
export class DeviceConf<N extends string> {
  readonly #sysctl: SysctlBranch;
  readonly #branch: string;
  readonly #specs: Readonly<Record<N, ConfSpec>>;
  /** Null: nothing is set for all at once. */
  readonly #all: Row<N> | null;
  readonly #default: Row<N>;
  /** By ifindex. */
  readonly #rows: (Row<N> | undefined)[] = [];
  readonly #names: (string | undefined)[] = [];
  readonly #values: (Values<N> | undefined)[] = [];
  readonly #defaults: Values<N>;

  /**
   * @param branch 'net.ipv4.conf'.
   * @param hasAll false: `default` and devices only, as `net.ipv4.neigh` has it; each setting is then a device's `own`.
   * @throws NetError EEXIST.
   */
  constructor(sysctl: SysctlBranch, branch: string, specs: Readonly<Record<N, ConfSpec>>, hasAll = true) {
    this.#sysctl = sysctl;
    this.#branch = branch;
    this.#specs = specs;
    this.#all = hasAll ? this.#define('all', null, null) : null;
    this.#default = this.#define('default', null, null);
    this.#defaults = this.#joinedValues(this.#default);
  }

  /** In force on a device; on one that is not known, as `default` has it. Allocates nothing. */
  value(ifindex: number, name: N): number {
    return (this.#values[ifindex] ?? this.#defaults)[name];
  }

  /** Of all devices: `conf.all`. */
  all(name: N): number {
    return Number((this.#all ?? this.#default)[name].value);
  }

  /** Sets it for `all`, `default` and each device, as some settings do (`ip_forward`). */
  setEverywhere(name: N, value: number): void {
    for (const row of [this.#all, this.#default, ...this.#rows]) if (row) this.#sysctl.set(row[name].name, value);
  }

  /** Sets it for one device. */
  set(ifindex: number, name: N, value: number): void {
    const row = this.#rows[ifindex];
    if (row !== undefined) this.#sysctl.set(row[name].name, value);
  }

  /** @param event one of `DEVICE_EVENT`. */
  deviceChanged(device: NetDevice, event: number): void {
    const known = this.#rows[device.ifindex];
    if (event === DEVICE_EVENT.UNREGISTER) this.#end(device.ifindex);
    else if (known === undefined) this.#begin(device, this.#default);
    else if (event === DEVICE_EVENT.NAME && this.#names[device.ifindex] !== device.name) {
      const values = { ...known };
      this.#end(device.ifindex);
      this.#begin(device, values);
    }
  }

  #begin(device: NetDevice, like: Row<N>): void {
    const row = this.#define(device.name, device, like);
    this.#rows[device.ifindex] = row;
    this.#values[device.ifindex] = this.#joinedValues(row);
    this.#names[device.ifindex] = device.name;
  }

  #end(ifindex: number): void {
    const row = this.#rows[ifindex];
    if (row === undefined) return;
    this.#rows[ifindex] = undefined;
    this.#values[ifindex] = undefined;
    for (const name of this.#keys()) this.#sysctl.forget(row[name].name);
  }

  #define(of: string, device: NetDevice | null, like: Row<N> | null): Row<N> {
    const row = {} as Record<N, Setting<number> | Setting<boolean>>;
    for (const name of this.#keys()) {
      const { min, max, summary, changed, default: usual } = this.#specs[name];
      const value = Number(like?.[name].value ?? usual);
      const tell = (now: number | boolean): void => {
        this.#renew(name);
        if (of !== 'default') changed?.(device, Number(now));
      };
      const full = `${this.#branch}.${of}.${name}`;
      const isSwitch = min === 0 && max === 1;
      row[name] = isSwitch
        ? this.#sysctl.define(full, { type: 'bool', default: value === 1, summary }, tell)
        : this.#sysctl.define(full, { type: 'int', default: value, min, max, summary }, tell);
      // What a device has of `default` is its own from then on: the next generation has it so, too.
      if (value !== usual && Number(row[name].value) === value) this.#sysctl.set(full, isSwitch ? value === 1 : value);
    }
    return row;
  }

  /** It was set somewhere. */
  #renew(name: N): void {
    this.#defaults[name] = this.#joined(this.#default, name);
    for (const [ifindex, row] of this.#rows.entries()) if (row !== undefined) this.#values[ifindex]![name] = this.#joined(row, name);
  }

  #joinedValues(row: Row<N>): Values<N> {
    return Object.fromEntries(this.#keys().map((name) => [name, this.#joined(row, name)])) as Values<N>;
  }

  #joined(row: Row<N>, name: N): number {
    const own = Number(row[name].value);
    if (this.#all === null) return own;
    const all = Number(this.#all[name].value);
    switch (this.#specs[name].join) {
      case 'or':
        return own | all;
      case 'and':
        return own & all;
      case 'max':
        return Math.max(own, all);
      case 'own':
        return own;
    }
  }

  #keys(): N[] {
    return Object.keys(this.#specs) as N[];
  }
}
