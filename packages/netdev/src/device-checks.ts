import type { NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, NetError } from '@softnet/contract';

/** Flags that may be changed by hand; what a device is (loopback, broadcast) is its driver's. UP is another matter. */
const CHANGEABLE = DEVICE_FLAG.UP | DEVICE_FLAG.NOARP | DEVICE_FLAG.PROMISC | DEVICE_FLAG.ALLMULTI | DEVICE_FLAG.MULTICAST;

/** Of a device that wants to be registered. @throws NetError EINVAL, with what its driver has to do. */
export function checkDevice(device: NetDevice): void {
  const { name, txQueues, rxQueues, flags, addressLen, address, broadcast, rss, lower } = device;
  const refuse = (why: string): NetError => new NetError('EINVAL', `the device '${name}' cannot be registered: ${why}`);
  if (device.ifindex !== 0) throw refuse(`it is, with ifindex ${device.ifindex}`);
  if (txQueues.length === 0) throw refuse('it has no transmit queue: give it a TxQueue first');
  if ([txQueues, rxQueues].some((queues) => queues.some((queue, i) => queue.device !== device || queue.index !== i))) {
    throw refuse('its queues are another device’s, or not in the order of their indices');
  }
  if (rss?.indirection.some((queue) => queue >= rxQueues.length)) throw refuse('its RSS table names receive queues that it has not');
  if (lower !== null && lower.ifindex === 0) throw refuse(`the device below it, '${lower.name}', is not registered`);
  if ((flags & DEVICE_FLAG.UP) !== 0) throw refuse('its flag UP is set: register it, then open it');
  if (address.length !== addressLen || broadcast.length !== addressLen) throw refuse(`its addresses are not of ${addressLen} bytes`);
  checkMtu(device, device.mtuBytes);
}

/** @throws NetError EINVAL. */
export function checkMtu({ name, minMtuBytes, maxMtuBytes }: NetDevice, mtuBytes: number): void {
  if (Number.isInteger(mtuBytes) && mtuBytes >= minMtuBytes && mtuBytes <= maxMtuBytes) return;
  throw new NetError('EINVAL', `an MTU of '${name}' is ${minMtuBytes} to ${maxMtuBytes} bytes, got ${mtuBytes}`);
}

/** @throws NetError EINVAL. */
export function checkAddress({ name, addressLen }: NetDevice, address: Uint8Array): void {
  if (address.length !== addressLen) {
    throw new NetError('EINVAL', `a link address of '${name}' has ${addressLen} bytes, got ${address.length}`);
  }
  // IEEE 802: the I/G bit.
  if (addressLen === 6 && (address[0]! & 1) !== 0) {
    throw new NetError('EINVAL', `a link address of '${name}' cannot be a group's: the lowest bit of its first byte must be 0`);
  }
}

/** @throws NetError EINVAL. */
export function checkFeatures({ name, features, hardwareFeatures }: NetDevice, wanted: number): void {
  const fixed = (wanted ^ features) & ~hardwareFeatures;
  if (fixed === 0) return;
  throw new NetError(
    'EINVAL',
    `'${name}' cannot switch features 0x${fixed.toString(16)}: of it, only 0x${hardwareFeatures.toString(16)} can be`,
  );
}

/** @throws NetError EINVAL. */
export function checkFlags({ name, flags }: NetDevice, wanted: number): void {
  const fixed = (wanted ^ flags) & ~CHANGEABLE;
  if (fixed === 0) return;
  throw new NetError('EINVAL', `flags 0x${(fixed >>> 0).toString(16)} of '${name}' say what it is, and cannot be changed`);
}
