import type { DeviceOps, LinkLayer, Random } from '@softnet/contract';
import { DEVICE_FLAG, LINK_TYPE, NetDevice, NetError, RxQueue, TxQueue } from '@softnet/contract';
import { etherLink, formatMac, MAC_BYTES, parseMac } from '@softnet/wire';

/** What a device is to be; what is left out is Ethernet's. */
export interface DeviceSpec {
  /** At most 15 characters; may end in '%d'. */
  readonly name: string;
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
  /** Received frames that wait for the stack in each receive queue, at most. Default 1,024. */
  readonly receiveFrames?: number;
}

export const DEFAULT_RECEIVE_FRAMES = 1024;

/** Room in front of a received frame: for headers that are put before it, and 2, so that the IP header behind Ethernet's is aligned. */
export const RECEIVE_HEADROOM_BYTES: number = 64 + 2;

/** A device as its driver makes it: down, without carrier, not registered. */
export function makeDevice(ops: DeviceOps, kind: string, spec: DeviceSpec, random: Random): NetDevice {
  const link = spec.link ?? etherLink;
  const device = new NetDevice(ops, link);
  device.name = spec.name;
  device.kind = kind;
  device.type = spec.type ?? LINK_TYPE.ETHER;
  device.address.set(spec.address ?? randomMac(random).subarray(0, link.addressLen));
  device.broadcast.fill((device.type as number) === LINK_TYPE.LOOPBACK ? 0 : 0xff);
  device.mtuBytes = spec.mtuBytes ?? 1500;
  device.maxMtuBytes = spec.maxMtuBytes ?? 65535;
  device.headroomBytes = link.headerBytes + (spec.headroomBytes ?? 0);
  device.flags = spec.flags ?? DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST;
  device.features = spec.features ?? 0;
  device.hardwareFeatures = spec.hardwareFeatures ?? device.features;
  device.txQueues = Array.from({ length: spec.txQueues ?? 1 }, (_, index) => new TxQueue(device, index));
  device.rxQueues = Array.from({ length: spec.rxQueues ?? 1 }, (_, index) => new RxQueue(device, index));
  return device;
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
