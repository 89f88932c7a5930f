import type { NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, OPERSTATE } from '@softnet/contract';

/**
 * The operational state (RFC 2863 §3.1.14), derived from what is known of the device: nobody sets it (row S5). Down while it is
 * administratively down (§3.1.13); not present when the device below it was taken out; without carrier it is the layer below that is
 * down, if there is one. Nobody says TESTING, and no device is of UNKNOWN state.
 */
export function deriveOperstate(device: NetDevice): number {
  if ((device.flags & DEVICE_FLAG.UP) === 0) return OPERSTATE.DOWN;
  if (device.lower !== null && device.lower.ifindex === 0) return OPERSTATE.NOT_PRESENT;
  if (!device.carrier) return device.lower === null ? OPERSTATE.DOWN : OPERSTATE.LOWER_LAYER_DOWN;
  return device.dormant ? OPERSTATE.DORMANT : OPERSTATE.UP;
}

/** What a device stacked on this one has for a carrier. Linux's `netif_stacked_transfer_operstate`. */
export function carriesOthers(device: NetDevice): boolean {
  return (device.flags & DEVICE_FLAG.UP) !== 0 && device.carrier;
}
