import type { CurrentOwner, ModuleContext, NetDevice, Port, SkbQueue, SoftnetModule, TxQueue } from '@softnet/contract';
import { Backlog, DEVICE_FEATURE, DEVICE_FLAG, Devices, DeviceTraffic, dequeue, LINK_TYPE, Module, one } from '@softnet/contract';
import { orphan, passOn } from '@softnet/skb';
import type { DeviceDriver } from '../driver/device-driver.ts';
import type { DeviceSpec } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { GSO_FEATURES } from '../driver/gso-features.ts';

/** All that a network card may do for the stack: nothing of it needs doing, as packets stay in this kernel. */
const FEATURES: number = DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.SCATTER | GSO_FEATURES;

/**
 * `lo`: what is sent by it is received by it (RFC 1122 §3.2.1.3 g). It is there, and up, as long as the module is; whoever goes by it
 * holds the module. Packets begin again behind the backlog, without a copy. Linux's loopback.c.
 *
 * There is one `lo`, so two generations side by side are none: it is replaced by hand-over (`registry`).
 */
@Module({
  name: 'loopback',
  version: '1.0.0',
  summary: 'lo: packets of this host to itself',
  requires: [one(Devices), one(DeviceTraffic), one(Backlog)],
  registry: true,
})
export class LoopbackModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const backlog = ctx.port(Backlog);
    const devices: DriverDevices = new DriverDevices(ctx, {
      kind: 'loopback',
      removable: false,
      rings: false,
      drive: () => new LoopbackDriver(devices, backlog, ctx.current),
      adopted: () => {},
    });
    // The last generation has one, which is handed over.
    if (ctx.port(DeviceTraffic).current.all().some(isLoopback)) return;
    const lo = devices.add(specOfLo(), null, ctx, 'loopback.start');
    devices.setCarrier(lo, true);
    ctx.port(Devices).current.open(lo);
  }
}

function specOfLo(): DeviceSpec {
  return {
    name: 'lo',
    type: LINK_TYPE.LOOPBACK,
    address: new Uint8Array(6),
    mtuBytes: 65536,
    maxMtuBytes: 65536,
    flags: DEVICE_FLAG.LOOPBACK,
    features: FEATURES,
    receiveFrames: 0,
  };
}

function isLoopback({ flags }: NetDevice): boolean {
  return (flags & DEVICE_FLAG.LOOPBACK) !== 0;
}

/** Sends by receiving. */
class LoopbackDriver implements DeviceDriver {
  readonly outside = null;
  readonly #devices: DriverDevices;
  readonly #backlog: Port<Backlog>;
  readonly #current: CurrentOwner;

  constructor(devices: DriverDevices, backlog: Port<Backlog>, current: CurrentOwner) {
    this.#devices = devices;
    this.#backlog = backlog;
    this.#current = current;
  }

  open(): void {}
  stop(): void {}
  close(): void {}
  leave(): void {}

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { device } = queue;
    const { lenPackets, lenBytes } = batch;
    const caller = this.#current.id;
    this.#current.id = this.#backlog.owner;
    const backlog = this.#backlog.current;
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      // Not the sender's any more: what waits to be received is paid by who receives.
      orphan(skb);
      passOn(skb, 'driver');
      backlog.receive(skb, device);
    }
    this.#current.id = caller;
    device.stats.rxPackets += lenPackets;
    device.stats.rxBytes += lenBytes;
    this.#devices.sent(queue, lenPackets, lenBytes);
  }
}
