import type { CurrentOwner, DeviceTraffic, NetDevice, Port, Skb } from '@softnet/contract';
import type { DriverDevices } from '../driver/driver-devices.ts';

/** Where the two ways of a stacked device lead: out by the device below, and up to the stack as its own. */
export class StackedLink {
  readonly device: NetDevice;
  readonly lower: NetDevice;
  readonly devices: DriverDevices;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #current: CurrentOwner;

  constructor(device: NetDevice, lower: NetDevice, devices: DriverDevices, traffic: Port<DeviceTraffic>, current: CurrentOwner) {
    this.device = device;
    this.lower = lower;
    this.devices = devices;
    this.#traffic = traffic;
    this.#current = current;
  }

  /** Takes a frame and sends it by the device below, which counts what it loses. */
  send(skb: Skb): void {
    const caller = this.#current.id;
    this.#current.id = this.#traffic.owner;
    this.#traffic.current.transmit(this.lower, skb);
    this.#current.id = caller;
  }

  /** Takes a received frame; the softirq loop hands it up. */
  received(skb: Skb): void {
    this.devices.received(this.device.rxQueues[0]!, skb);
  }
}
