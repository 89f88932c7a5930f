import type { FlowKey, FlowRule, NetDevice, ReceiveSpread } from '@softnet/contract';
import { DEVICE_FEATURE, DEVICE_FLAG, NetDevice as Device, LINK_TYPE, RxQueue, TxQueue } from '@softnet/contract';
import { etherLink } from '@softnet/wire';
import type { NetdevHost } from './netdev-host.ts';
import { FakeDriver, OUR_MAC } from './netdev-host.ts';

/** A driver with several queues and all settings. It writes down what it is asked, and refuses what it is told to. */
export class FakeNic extends FakeDriver {
  readonly asked: string[] = [];
  /** Refuses the next calls that begin so. */
  refuses = '';
  /** Flows that it has room for. */
  rules = 2;

  setRings(_device: NetDevice, rxPackets: number, txPackets: number): void {
    this.#ask(`rings ${rxPackets} ${txPackets}`);
  }
  setCoalescing(queue: RxQueue | TxQueue, us: number, packets: number): void {
    this.#ask(`coalescing ${queue instanceof RxQueue ? 'rx' : 'tx'}${queue.index} ${us} ${packets}`);
  }
  setChannels(device: NetDevice, rxQueues: number, txQueues: number): void {
    this.#ask(`channels ${rxQueues} ${txQueues} ${(device.flags & DEVICE_FLAG.UP) === 0 ? 'down' : 'up'}`);
    giveQueues(device, rxQueues, txQueues);
  }
  setSpread(_device: NetDevice, { indirection }: ReceiveSpread): void {
    this.#ask(`spread ${indirection.slice(0, 5).join('')}`);
  }
  setFlowRules(_device: NetDevice, rules: readonly FlowRule[]): void {
    this.#ask(`rules ${rules.map(({ location, queue }) => `${location}:${queue}`).join(' ')}`);
  }
  steer({ name }: NetDevice, { remotePort }: FlowKey, queue: number, priority: number): boolean {
    if (this.rules === 0) return false;
    this.rules--;
    this.#ask(`steer ${name} ${remotePort} to ${queue} priority ${priority}`);
    return true;
  }

  #ask(what: string): void {
    if (this.refuses !== '' && what.startsWith(this.refuses)) throw new Error(`the driver refuses ${what}`);
    this.asked.push(what);
  }
}

function giveQueues(device: NetDevice, rxQueues: number, txQueues: number): void {
  device.rxQueues = Array.from({ length: rxQueues }, (_, i) => new RxQueue(device, i));
  device.txQueues = Array.from({ length: txQueues }, (_, i) => new TxQueue(device, i));
  for (const queue of [...device.rxQueues, ...device.txQueues]) Object.assign(queue, { ringPackets: 64, maxRingPackets: 1024 });
}

/** An Ethernet device with queues, at most 8 each way; up, with carrier. */
export function plugNic(host: NetdevHost, driver: FakeDriver, name = 'eth0', { rx = 4, tx = 4 } = {}): NetDevice {
  const device = new Device(driver, etherLink);
  Object.assign(device, { name, kind: 'nic', type: LINK_TYPE.ETHER, maxRxQueues: 8, maxTxQueues: 8 });
  device.address.set(OUR_MAC);
  device.features = DEVICE_FEATURE.FLOW_STEERING;
  device.hardwareFeatures = device.features;
  giveQueues(device, rx, tx);
  host.devices().register(device);
  host.devices().open(device);
  host.traffic().setCarrier(device, true);
  return device;
}
