import type { DeviceOps, LinkLayer, Random } from '@softnet/contract';
import { DEVICE_FLAG, LINK_TYPE, NetDevice, NetError, RxQueue, TxQueue } from '@softnet/contract';
import { etherLink, formatMac, MAC_BYTES, parseMac } from '@softnet/wire';

/** What a device is to be; what is left out is Ethernet's. */
export interface DeviceSpec {
  /** At most 15 characters; may end in '%d'. */
  readonly name: string;
  /** As `NetDevice.kind`, where a driver makes several. Default: its own. */
  readonly kind?: string;
  /** Default ETHER. */
  readonly type?: number;
  readonly link?: LinkLayer;
  /** Link address. Default: by chance, locally administered (IEEE 802c). */
  readonly address?: Uint8Array | null;
  /** Default 1,500; without the link header. */
  readonly mtuBytes?: number;
  readonly maxMtuBytes?: number;
  /** Default BROADCAST and MULTICAST. */
  readonly flags?: number;
  readonly features?: number;
  readonly hardwareFeatures?: number;
  /** Before the packet, beyond the link's header; default 0. */
  readonly headroomBytes?: number;
  /** Transmit queues, and receive queues; default 1 each. */
  readonly txQueues?: number;
  readonly rxQueues?: number;
  /** How many of each there may be (`DriverSpec.channels`); default: as many as there are. */
  readonly maxTxQueues?: number;
  readonly maxRxQueues?: number;
  /** `priority` of each queue, of both sorts; what is left out is 0. A shard has one receive queue of each priority. */
  readonly priorities?: readonly number[];
  /** Received frames that wait for the stack in each receive queue, at most. Default 1,024; 8,192 can be set. 0: it has no rings. */
  readonly receiveFrames?: number;
  /** `ringPackets` of transmit queues at first, and at most. Default 0: the driver has no such limit. */
  readonly sendFrames?: number;
}

const RECEIVE_FRAMES = 1024;
const MAX_RECEIVE_FRAMES = 8192;

/** A device as its driver makes it: down, without carrier, not registered. */
export function makeDevice(ops: DeviceOps, kind: string, spec: DeviceSpec, random: Random): NetDevice {
  const link = spec.link ?? etherLink;
  const device = new NetDevice(ops, link);
  device.name = spec.name;
  device.kind = spec.kind ?? kind;
  device.type = spec.type ?? LINK_TYPE.ETHER;
  device.address.set(spec.address ?? randomMac(random).subarray(0, link.addressLen));
  device.broadcast.fill((device.type as number) === LINK_TYPE.LOOPBACK ? 0 : 0xff);
  device.mtuBytes = spec.mtuBytes ?? 1500;
  device.maxMtuBytes = spec.maxMtuBytes ?? 65535;
  device.headroomBytes = link.headerBytes + (spec.headroomBytes ?? 0);
  device.flags = spec.flags ?? DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST;
  device.features = spec.features ?? 0;
  device.hardwareFeatures = spec.hardwareFeatures ?? device.features;
  makeQueues(device, spec.rxQueues ?? 1, spec.txQueues ?? 1);
  device.maxRxQueues = spec.maxRxQueues ?? device.rxQueues.length;
  device.maxTxQueues = spec.maxTxQueues ?? device.txQueues.length;
  for (const queue of device.rxQueues) {
    queue.ringPackets = spec.receiveFrames ?? RECEIVE_FRAMES;
    queue.maxRingPackets = queue.ringPackets === 0 ? 0 : Math.max(queue.ringPackets, MAX_RECEIVE_FRAMES);
    queue.priority = spec.priorities?.[queue.index] ?? 0;
  }
  for (const queue of device.txQueues) {
    queue.ringPackets = spec.sendFrames ?? 0;
    queue.maxRingPackets = queue.ringPackets;
    queue.priority = spec.priorities?.[queue.index] ?? 0;
  }
  assignShards(device);
  return device;
}

/** So many queues of each sort, new ones; settings are those of the old with their number, else of the first. */
export function makeQueues(device: NetDevice, rxQueues: number, txQueues: number): void {
  const { rxQueues: rx, txQueues: tx } = device;
  device.rxQueues = Array.from({ length: rxQueues }, (_, index) => alike(new RxQueue(device, index), rx[index] ?? rx[0]));
  device.txQueues = Array.from({ length: txQueues }, (_, index) => alike(new TxQueue(device, index), tx[index] ?? tx[0]));
  assignShards(device);
}

/** Of the queues of a priority, the first is shard 0's, the second shard 1's. */
function assignShards({ rxQueues }: NetDevice): void {
  for (const queue of rxQueues) {
    queue.shard = rxQueues.filter(({ priority, index }) => priority === queue.priority && index < queue.index).length;
  }
}

/** With the settings of another one. */
function alike<T extends RxQueue | TxQueue>(queue: T, other: T | undefined): T {
  if (other === undefined) return queue;
  const { ringPackets, maxRingPackets, coalesceUs, coalescePackets, priority } = other;
  return Object.assign(queue, { ringPackets, maxRingPackets, coalesceUs, coalescePackets, priority });
}

/** Of one station (I/G bit 0), locally administered (U/L bit 1). */
export function randomMac(random: Random): Uint8Array {
  const mac = new Uint8Array(MAC_BYTES);
  random.fill(mac);
  mac[0] = (mac[0]! & 0xfc) | 0x02;
  return mac;
}

/** A MAC address that a user gave as text, or six bytes. Null: he gave none. @throws NetError EINVAL, also for a group's. */
export function macOption(kind: string, given: unknown): Uint8Array | null {
  if (given === undefined || given === null) return null;
  const mac = typeof given === 'string' ? parseMac(given) : given;
  if (mac instanceof Uint8Array && mac.length === MAC_BYTES && (mac[0]! & 1) === 0) return mac.slice();
  const shown = mac instanceof Uint8Array && mac.length === MAC_BYTES ? `${formatMac(mac)}, a group's` : String(given);
  throw new NetError('EINVAL', `${kind}: address takes one station's MAC address like '02:00:00:00:00:01', got ${shown}`);
}
