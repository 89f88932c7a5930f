import type { DeviceTraffic, NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, NetError } from '@softnet/contract';

/** What all kinds of stacked devices take. */
export interface StackedOptions {
  /** The device below: its name, its ifindex, or itself. */
  readonly link: string | number | NetDevice;
  /** '02:00:00:00:00:01'. Default: the address of the device below, whose changes it follows. */
  readonly address?: string | Uint8Array;
  /** Default, and at most: that of the device below. */
  readonly mtuBytes?: number;
}

/** So many devices stand on one another at most. Linux's MAX_NEST_DEV. */
const MAX_HEIGHT = 8;

/** The device that a new one is to be stacked on. @throws NetError EINVAL, ENODEV. */
export function lowerOf(kind: string, link: unknown, traffic: DeviceTraffic): NetDevice {
  if (link === undefined)
    throw new NetError('EINVAL', `${kind}: link says which device it is stacked on, by name or ifindex; it is missing`);
  const lower = typeof link === 'string' ? traffic.byName(link) : traffic.byIndex(typeof link === 'number' ? link : ifindexOf(link));
  if (lower === null) {
    const names = traffic.all().map(({ name }) => name);
    throw new NetError('ENODEV', `${kind}: there is no device '${shown(link)}' to be stacked on; there are: ${names.join(', ') || 'none'}`);
  }
  if ((lower.flags & DEVICE_FLAG.LOOPBACK) !== 0) {
    throw new NetError('EINVAL', `${kind}: nothing can be stacked on ${lower.name}: its packets never leave this host`);
  }
  if (heightOf(lower) >= MAX_HEIGHT) {
    throw new NetError('EINVAL', `${kind}: at most ${MAX_HEIGHT} devices stand on one another, and ${lower.name} is on top of as many`);
  }
  return lower;
}

function heightOf(device: NetDevice): number {
  let height = 1;
  for (let at = device.lower; at !== null; at = at.lower) height++;
  return height;
}

/** By its shape: a bundle has a class of its own. */
function ifindexOf(link: unknown): number {
  const { ifindex } = (link ?? {}) as { readonly ifindex?: unknown };
  return typeof ifindex === 'number' ? ifindex : 0;
}

function shown(link: unknown): string {
  const { name } = (link ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : String(link);
}
