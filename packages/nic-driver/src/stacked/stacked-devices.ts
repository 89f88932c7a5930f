import type { Devices as DeviceRegistry, ModuleContext, NetDevice, Owner, Port, DeviceTraffic as Traffic } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FEATURE, DEVICE_FLAG, DeviceKind, DeviceListener, Devices, DeviceTraffic, NetError } from '@softnet/contract';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { GSO_FEATURES } from '../driver/gso-features.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import type { Passage } from './passage.ts';
import type { StackedOn } from './stacked-driver.ts';
import { StackedDriver } from './stacked-driver.ts';
import { StackedLink } from './stacked-link.ts';
import type { StackedOptions } from './stacked-options.ts';
import { lowerOf } from './stacked-options.ts';

/** What a kind of stacked devices says of itself. */
export interface StackedKind {
  readonly kind: string;
  /** Features of the device below that it leaves as they are: bits of `DEVICE_FEATURE`. */
  readonly passes: number;
  /** Its options, beside those that all have. */
  readonly options: readonly string[];
  /** What is kept for a device, whatever generation works it. @throws NetError EINVAL, saying which option. */
  state(options: object): object;
  /** What works a device with that. */
  passage(link: StackedLink, state: object): Passage;
}

/** All that a packet may bring along, and that a device below does or has done: for kinds that only look on. */
export const PASSES_ALL: number =
  DEVICE_FEATURE.TX_CHECKSUM |
  DEVICE_FEATURE.RX_CHECKSUM |
  DEVICE_FEATURE.SCATTER |
  DEVICE_FEATURE.RX_HASH |
  DEVICE_FEATURE.RX_GSO |
  GSO_FEATURES;

/** Of what sort a link is; a device has these of the one below. */
const LINK_FLAGS = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST | DEVICE_FLAG.POINTOPOINT | DEVICE_FLAG.NOARP;

/**
 * What all modules have in common whose devices are stacked on others: makes them, has them follow the device below in what they have
 * from it, and takes them out when that one goes. A module makes one in `start`; it requires `Devices` and `DeviceTraffic` and provides
 * `DeviceKind` and `DeviceListener`. Linux's macvlan.c has the same duties.
 */
export class StackedDevices {
  readonly #devices: DriverDevices;
  readonly #spec: StackedKind;
  readonly #traffic: Port<Traffic>;
  readonly #registry: Port<DeviceRegistry>;
  readonly #ctx: ModuleContext;
  readonly #place: string;

  constructor(ctx: ModuleContext, spec: StackedKind) {
    const { kind } = spec;
    this.#ctx = ctx;
    this.#spec = spec;
    this.#place = `${kind}.create`;
    this.#traffic = ctx.port(DeviceTraffic);
    this.#registry = ctx.port(Devices);
    this.#devices = new DriverDevices(ctx, {
      kind,
      removable: true,
      drive: (device, outside) => this.#drive(device, outside as StackedOn),
      adopted: (_device, driver) => (driver as StackedDriver).passage.resume(),
    });
    ctx.contribute(DeviceKind, { kind, create: (name, options, owner) => this.#create(name, options, owner) }, 'door');
    ctx.contribute(DeviceListener, { deviceChanged: (device, event) => this.#lowerChanged(device, event) }, 'corridor');
  }

  #create(name: string, options: Partial<StackedOptions>, owner: Owner): NetDevice {
    const { kind, passes, options: own, state } = this.#spec;
    onlyOptions(kind, options, ['link', 'address', 'mtuBytes', ...own]);
    const lower = lowerOf(kind, options.link, this.#traffic.current);
    if (lower.above !== null) {
      throw new NetError('EBUSY', `a device is stacked on ${lower.name} already: stack '${name}' on that one, or remove it`);
    }
    const spec = {
      name,
      type: lower.type,
      link: lower.link,
      address: macOption(kind, options.address) ?? lower.address.slice(),
      mtuBytes: mtuOption(kind, options.mtuBytes ?? lower.mtuBytes, lower.mtuBytes),
      maxMtuBytes: lower.mtuBytes,
      flags: lower.flags & LINK_FLAGS,
      features: lower.features & passes,
      headroomBytes: lower.headroomBytes - lower.link.headerBytes,
    };
    const on: StackedOn = { lower, state: state(options), lowerAddress: lower.address.slice() };
    return this.#devices.add(spec, on, owner, this.#place);
  }

  #drive(device: NetDevice, on: StackedOn): DeviceDriver {
    const { lower, state } = on;
    const link = new StackedLink(device, lower, this.#devices, this.#traffic, this.#ctx.current);
    const driver = new StackedDriver(on, this.#ctx.owner, link, this.#spec.passage(link, state));
    device.lower = lower;
    device.broadcast.set(lower.broadcast);
    device.tailroomBytes = lower.tailroomBytes;
    device.gsoMaxBytes = lower.gsoMaxBytes;
    device.gsoMaxSegs = lower.gsoMaxSegs;
    return driver;
  }

  #lowerChanged(lower: NetDevice, event: number): void {
    for (const device of [...this.#devices.devices]) {
      if (device.lower !== lower) continue;
      if (event === DEVICE_EVENT.UNREGISTER) this.#loseLower(device, lower);
      else if (event === DEVICE_EVENT.MTU) this.#followMtu(device, lower);
      else if (event === DEVICE_EVENT.ADDRESS) this.#followAddress(device, lower);
      else if (event === DEVICE_EVENT.FEATURES) this.#followFeatures(device, lower);
    }
  }

  /** It has nothing to stand on any more. */
  #loseLower(device: NetDevice, lower: NetDevice): void {
    this.#ctx.log.info(`${device.name} goes with ${lower.name}, which it was stacked on`);
    this.#devices.remove(device);
  }

  #followMtu(device: NetDevice, { mtuBytes }: NetDevice): void {
    device.maxMtuBytes = mtuBytes;
    if (device.mtuBytes > mtuBytes) this.#registry.current.setMtu(device, mtuBytes);
  }

  /** An address of its own stays. */
  #followAddress(device: NetDevice, { address }: NetDevice): void {
    const { lowerAddress } = (device.ext as StackedDriver).outside;
    const follows = device.address.every((byte, i) => byte === lowerAddress[i]);
    lowerAddress.set(address);
    if (follows) this.#registry.current.setAddress(device, address);
  }

  /** Those that it does not have from below (GRO, which netdev does) stay. */
  #followFeatures(device: NetDevice, { features }: NetDevice): void {
    const { passes } = this.#spec;
    const before = device.hardwareFeatures;
    const passed = features & passes;
    // Those that go are to be switched off, those that come on.
    device.hardwareFeatures = before | passed;
    this.#registry.current.setFeatures(device, (device.features & ~passes) | passed);
    device.hardwareFeatures = (before & ~passes) | passed;
  }
}

/** What works a device of this kind, of whatever generation or build. @throws NetError EINVAL for another. */
export function passageOf(kind: string, device: NetDevice): Passage {
  if (device.kind !== kind || device.ext === null) throw new NetError('EINVAL', `'${device.name}' is no device of kind ${kind}`);
  return (device.ext as StackedDriver).passage;
}
