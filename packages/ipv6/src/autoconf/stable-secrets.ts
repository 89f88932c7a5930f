import type { DeviceListener, NetDevice, Random, Setting, SysctlBranch } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT } from '@softnet/contract';
import { formatIpv6, parseIpv6, putAddress, viewOf } from '@softnet/wire';
import { SECRET_BYTES } from './interface-identifiers.ts';

/** Of an IPv6 address as text. */
const MAX_CHARS = 45;
const BRANCH = 'net.ipv6.conf';

/** Told that a secret was set: its device makes stable identifiers from now on, as in Linux. @param device null: the default. @param isBorn the device came with it. */
export type SecretSet = (device: NetDevice | null, isBorn: boolean) => void;

/**
 * `net.ipv6.conf.{default,eth0}.stable_secret`: 128 bits, written as an address; '' while there is none. A new device begins with that of `default`. Tell it of
 * devices before those who ask it.
 */
export class StableSecrets implements DeviceListener {
  readonly #sysctl: SysctlBranch;
  readonly #told: SecretSet;
  readonly #default: Setting<string>;
  /** By ifindex. */
  readonly #settings = new Map<number, Setting<string>>();

  /** @throws NetError EEXIST. */
  constructor(sysctl: SysctlBranch, told: SecretSet) {
    this.#sysctl = sysctl;
    this.#told = told;
    this.#default = this.#define('default', null, '');
  }

  /** Null: the device has none, and there is no default. */
  of(ifindex: number): Uint8Array | null {
    const words = parseIpv6(this.#settings.get(ifindex)?.value || this.#default.value);
    if (words === null) return null;
    const bytes = new Uint8Array(SECRET_BYTES);
    putAddress(viewOf(bytes), 0, ADDRESS_FAMILY.INET6, ...words);
    return bytes;
  }

  /** One by chance, which is kept as if somebody had set it; does nothing where there is one. */
  make({ ifindex }: NetDevice, random: Random): void {
    const setting = this.#settings.get(ifindex);
    if (setting === undefined || setting.value !== '') return;
    this.#sysctl.set(setting.name, formatIpv6(random.u32() | 0, random.u32() | 0, random.u32() | 0, random.u32() | 0));
  }

  /** It was there before: what it has comes with it. */
  know(device: NetDevice): void {
    this.#begin(device, '');
  }

  deviceChanged(device: NetDevice, event: number): void {
    const known = this.#settings.get(device.ifindex);
    if (event === DEVICE_EVENT.UNREGISTER) this.#end(device);
    else if (known === undefined) this.#born(device);
    else if (event === DEVICE_EVENT.NAME && known.name !== nameOf(device.name)) {
      const { value } = known;
      this.#end(device);
      this.#begin(device, value);
    }
  }

  #born(device: NetDevice): void {
    this.#begin(device, '');
    const { name, value } = this.#settings.get(device.ifindex)!;
    if (value !== '' || this.#default.value === '') return;
    this.#sysctl.set(name, this.#default.value);
    this.#told(device, true);
  }

  #begin(device: NetDevice, value: string): void {
    this.#settings.set(device.ifindex, this.#define(device.name, device, value));
  }

  #end({ ifindex }: NetDevice): void {
    const known = this.#settings.get(ifindex);
    if (known === undefined) return;
    this.#settings.delete(ifindex);
    this.#sysctl.forget(known.name);
  }

  /** What is no address is taken back. */
  #define(of: string, device: NetDevice | null, value: string): Setting<string> {
    let text = value;
    const name = nameOf(of);
    const summary = 'of stable addresses (RFC 7217): 128 bits, written as an IPv6 address; setting one turns addr_gen_mode to 2';
    return this.#sysctl.define(name, { type: 'string', default: value, maxLength: MAX_CHARS, summary }, (now) => {
      if (now !== '' && parseIpv6(now) === null) {
        this.#sysctl.set(name, text);
        return;
      }
      if (now === text) return;
      text = now;
      if (now !== '') this.#told(device, false);
    });
  }
}

function nameOf(of: string): string {
  return `${BRANCH}.${of}.stable_secret`;
}
