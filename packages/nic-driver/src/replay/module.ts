import type { ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DEVICE_FLAG, DeviceKind, Devices, DeviceTraffic, HeaderSplit, Module, one, SkbPool } from '@softnet/contract';
import { ReceiveBuffers, ReceiveCounters } from '@softnet/skb';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import type { ReplayHost } from './device.ts';
import { ReplayDriver } from './device.ts';
import { Replay } from './replay.ts';
import type { ReplayOptions } from './replay-options.ts';
import { checkReplayOptions, REPLAY_OPTIONS } from './replay-options.ts';

const MAX_MTU_BYTES = 65_535;

/** Devices that receive what was captured once. Also on a virtual World: the same capture is the same, each time. */
@Module({
  name: 'replay',
  version: '1.0.0',
  summary: 'devices that receive what is in a capture file, at its times or faster',
  requires: [one(Devices), one(DeviceTraffic), one(HeaderSplit), one(SkbPool)],
  provides: [DeviceKind],
})
export class ReplayModule implements SoftnetModule {
  #devices!: DriverDevices;

  start(ctx: ModuleContext): void {
    const host = this.#makeHost(ctx);
    this.#devices = new DriverDevices(ctx, {
      kind: 'replay',
      removable: true,
      drive: (device, outside) => new ReplayDriver(host, device, outside as Replay),
      adopted: (device, driver) => {
        if ((device.flags & DEVICE_FLAG.UP) !== 0) (driver as ReplayDriver).resume();
      },
    });
    ctx.contribute(
      DeviceKind,
      { kind: 'replay', create: (name, options, owner) => this.#create(name, options as ReplayOptions, owner) },
      'door',
    );
  }

  #create(name: string, options: ReplayOptions, owner: Owner): NetDevice {
    onlyOptions('replay', options, REPLAY_OPTIONS);
    checkReplayOptions(options);
    const mtuBytes = mtuOption('replay', options.mtuBytes, MAX_MTU_BYTES);
    const address = macOption('replay', options.address);
    const features = DEVICE_FEATURE.SCATTER;
    const hardwareFeatures = features | DEVICE_FEATURE.HEADER_SPLIT;
    const spec = { name, mtuBytes, maxMtuBytes: MAX_MTU_BYTES, address, features, hardwareFeatures };
    const device = this.#devices.add(spec, new Replay(options), owner, 'replay.create');
    this.#devices.setCarrier(device, true);
    return device;
  }

  #makeHost(ctx: ModuleContext): ReplayHost {
    const turns = new Turns((source) => ctx.poll(source, 'replay.receive'));
    const pool = ctx.port(SkbPool);
    const counters = new ReceiveCounters((name) => ctx.counter(name));
    return {
      buffers: new ReceiveBuffers(pool, ctx.port(HeaderSplit), ctx.current, counters),
      bareBuffers: new ReceiveBuffers(pool, null, ctx.current, counters),
      clock: ctx.clock,
      log: ctx.log,
      skipped: ctx.counter('replay.skipped'),
      broken: ctx.dropReason('replay.broken', 'the capture could not be read to its end'),
      cutShort: ctx.dropReason('replay.cut-short', 'the capture has only the beginning of it (its snaplen)'),
      tooLong: ctx.dropReason('replay.too-long', "longer than the device's MTU and an Ethernet header with a VLAN tag"),
      received: (device, skb) => this.#devices.received(device.rxQueues[0]!, skb),
      sent: (queue, packets, bytes) => this.#devices.sent(queue, packets, bytes),
      ask: (taker) => turns.ask(taker),
      forget: (taker) => turns.forget(taker),
      timerFor: (driver) => ctx.timer((of: ReplayDriver) => of.wake(), driver, 'replay.next'),
    };
  }
}
