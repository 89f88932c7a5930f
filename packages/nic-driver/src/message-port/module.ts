import type { ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, Devices, DeviceTraffic, HeaderSplit, Module, NetError, one, SkbPool } from '@softnet/contract';
import { ReceiveBuffers, ReceiveCounters } from '@softnet/skb';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import type { MessagePortHost } from './device.ts';
import { MessagePortDriver } from './device.ts';
import type { MessagePortLike } from './message-port-like.ts';
import { isMessagePortLike } from './message-port-like.ts';
import { PortLink } from './port-link.ts';

/** What `create` of the kind 'message-port' takes. */
export interface MessagePortOptions {
  /** Whose other end is in another thread, page or kernel, in a device of this kind. The device hears it until it is removed; who made it closes it. */
  readonly port: MessagePortLike;
  /** 68 to 65,521; default 1,500. */
  readonly mtuBytes?: number;
  /** MAC address: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
}

const MAX_MTU_BYTES = 65_521;

/** Links between kernels in different threads or pages. Messages come when they come, so a virtual World has none. */
@Module({
  name: 'message-port',
  version: '1.0.0',
  summary: 'Ethernet with a kernel in a worker, a page, or another thread',
  requires: [one(Devices), one(DeviceTraffic), one(HeaderSplit), one(SkbPool)],
  provides: [DeviceKind],
  realTime: true,
})
export class MessagePortModule implements SoftnetModule {
  #devices!: DriverDevices;

  start(ctx: ModuleContext): void {
    const host = this.#makeHost(ctx);
    this.#devices = new DriverDevices(ctx, {
      kind: 'message-port',
      removable: true,
      drive: (device, outside) => new MessagePortDriver(host, device, outside as PortLink),
      adopted: (_device, driver) => (driver as MessagePortDriver).begin(),
    });
    const create = (name: string, options: object, owner: Owner): NetDevice => this.#create(name, options as MessagePortOptions, owner);
    ctx.contribute(DeviceKind, { kind: 'message-port', create }, 'door');
  }

  #create(name: string, options: MessagePortOptions, owner: Owner): NetDevice {
    onlyOptions('message-port', options, ['port', 'mtuBytes', 'address']);
    const { port } = options;
    if (!isMessagePortLike(port)) {
      throw new NetError('EINVAL', `message-port: port takes a MessagePort (new MessageChannel().port1) or a Worker, got ${String(port)}`);
    }
    const mtuBytes = mtuOption('message-port', options.mtuBytes, MAX_MTU_BYTES);
    const address = macOption('message-port', options.address);
    const link = new PortLink(port, mtuBytes);
    const features = DEVICE_FEATURE.SCATTER;
    const hardwareFeatures = features | DEVICE_FEATURE.HEADER_SPLIT;
    const spec = { name, mtuBytes, maxMtuBytes: MAX_MTU_BYTES, address, features, hardwareFeatures };
    const device = this.#devices.add(spec, link, owner, 'message-port.create');
    (device.ext as MessagePortDriver).begin();
    link.begin();
    return device;
  }

  #makeHost(ctx: ModuleContext): MessagePortHost {
    const turns = new Turns((source) => ctx.poll(source, 'message-port.read'));
    const counters = new ReceiveCounters((name) => ctx.counter(name));
    return {
      buffers: new ReceiveBuffers(ctx.port(SkbPool), ctx.port(HeaderSplit), ctx.current, counters),
      reasons: {
        garbage: ctx.dropReason('message-port.garbage', 'a message that is none of this driver, or not in its place'),
        lyingLength: ctx.dropReason('message-port.lying-length', 'a batch says that it has more than it has; what follows in it is lost'),
        tooMany: ctx.dropReason('message-port.too-many', 'the other side sends more batches than it may'),
        tooLong: ctx.dropReason(
          'message-port.too-long',
          "longer than the MTU of this device or the other side's, and an Ethernet header with a VLAN tag",
        ),
        unconnected: ctx.dropReason('message-port.unconnected', 'sent while there is no other side'),
        version: ctx.dropReason('message-port.version', 'the other side speaks another version of this protocol'),
      },
      received: (device, skb) => this.#devices.received(device.rxQueues[0]!, skb),
      sent: (queue, packets, bytes) => this.#devices.sent(queue, packets, bytes),
      completed: (queue, packets, bytes) => this.#devices.completed(queue, packets, bytes),
      wake: (queue) => this.#devices.wake(queue),
      setCarrier: (device, on) => this.#devices.setCarrier(device, on),
      ask: (taker) => turns.ask(taker),
      forget: (taker) => turns.forget(taker),
      inform: (message, fields) => ctx.log.info(message, fields),
    };
  }
}
