import type { Counter, ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, Devices, DeviceTraffic, Module, NetError, one, SkbPool } from '@softnet/contract';
import { macOption, randomMac } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import { sameAddress, TapDriver } from './device.ts';
import { checkInterfaceName } from './ifreq.ts';
import type { Libc } from './libc.ts';
import { loadLibc } from './libc.ts';
import { ScatterList } from './scatter-list.ts';
import type { TapHost, TapReasons } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';
import { openTun } from './tun-file.ts';

/** What `create` of the kind 'tap' takes. */
export interface TapOptions {
  /** Of Linux's end, made where it is not there; may end in '%d'. Default: the device's own name. */
  readonly ifname?: string;
  /** Of our end, 68 to 65,521. Default 1,500, as on Linux's end. */
  readonly mtuBytes?: number;
  /** Our end's MAC address, another one than Linux's: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
}

/** Linux's own limit (`MAX_MTU` of its tun driver): 65,535 less the Ethernet header. */
const MAX_MTU_BYTES = 65_521;

/**
 * TAP: our end of an interface of the Linux that runs this process. What Linux sends there arrives here, and the other way round.
 * Linux's end is Linux's: `ip link set NAME up`, `ip addr add ...` are up to its administrator.
 */
@Module({
  name: 'tap',
  version: '1.0.0',
  summary: 'Ethernet with the Linux that this process runs on, through /dev/net/tun',
  requires: [one(Devices), one(DeviceTraffic), one(SkbPool)],
  provides: [DeviceKind],
  realTime: true,
})
export class TapModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #devices!: DriverDevices;
  #libc: Promise<Libc> | null = null;
  #host: TapHost | null = null;
  #turns!: Turns;
  #reasons!: TapReasons;
  #deleted!: Counter;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#turns = new Turns((source) => ctx.poll(source, 'tap.read'));
    this.#devices = new DriverDevices(ctx, {
      kind: 'tap',
      removable: true,
      drive: (device, outside) => this.#drive(device, outside as TunFile),
      adopted: (_device, driver) => (driver as TapDriver).adopt(),
    });
    this.#deleted = ctx.counter('tap.deleted');
    this.#reasons = {
      tooLong: ctx.dropReason('tap.too-long', "a received frame is longer than the device's MTU and an Ethernet header with a VLAN tag"),
      unplugged: ctx.dropReason('tap.unplugged', "sent while Linux's end is down or deleted"),
      refused: ctx.dropReason('tap.refused', 'Linux refused a frame: see writev(2) and its tun driver'),
    };
    ctx.contribute(DeviceKind, { kind: 'tap', create: (name, options, owner) => this.#create(name, options, owner) }, 'door');
  }

  async #create(name: string, options: TapOptions, owner: Owner): Promise<NetDevice> {
    onlyOptions('tap', options, ['ifname', 'mtuBytes', 'address']);
    const ifname = checkInterfaceName(options.ifname ?? name);
    const mtuBytes = mtuOption('tap', options.mtuBytes, MAX_MTU_BYTES);
    const wanted = macOption('tap', options.address);
    // Loaded for the first device: the module may be there where no TAP can be.
    this.#libc ??= loadLibc();
    const tun = openTun(await this.#libc, ifname);
    try {
      const address = this.#addressFor(tun, wanted);
      const spec = { name, mtuBytes, maxMtuBytes: MAX_MTU_BYTES, address, features: DEVICE_FEATURE.SCATTER };
      return this.#devices.add(spec, tun, owner, 'tap.create');
    } catch (error) {
      // Also where the module has begun to leave meanwhile.
      tun.close();
      throw error;
    }
  }

  /** Two ends of one link with one address would not hear each other. */
  #addressFor(tun: TunFile, wanted: Uint8Array | null): Uint8Array {
    const theirs = tun.readAddress();
    let address = wanted ?? randomMac(this.#ctx.random);
    while (theirs !== null && sameAddress(theirs, address)) {
      if (wanted !== null) throw new NetError('EINVAL', `tap: Linux's end, ${tun.name}, has this address: give another one, or none`);
      address = randomMac(this.#ctx.random);
    }
    return address;
  }

  #drive(device: NetDevice, tun: TunFile): TapDriver {
    this.#host ??= this.#makeHost(tun.libc);
    return new TapDriver(this.#host, device, tun);
  }

  #makeHost(libc: Libc): TapHost {
    const devices = this.#devices;
    const turns = this.#turns;
    return {
      pool: this.#ctx.port(SkbPool),
      scatter: new ScatterList((bytes) => libc.addressOf(bytes)),
      reasons: this.#reasons,
      deleted: this.#deleted,
      received: (device, skb) => devices.received(device.rxQueues[0]!, skb),
      sent: (queue, packets, bytes) => devices.sent(queue, packets, bytes),
      completed: (queue, packets, bytes) => devices.completed(queue, packets, bytes),
      wake: (queue) => devices.wake(queue),
      setCarrier: (device, on) => devices.setCarrier(device, on),
      ask: (tap) => turns.ask(tap),
      forget: (tap) => turns.forget(tap),
      warn: (message, fields) => this.#ctx.log.warn(message, fields),
    };
  }
}
