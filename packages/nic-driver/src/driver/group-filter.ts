import type { NetDevice, Skb } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import { isGroupMac, isMac } from '@softnet/wire';

const { PROMISC, ALLMULTI } = DEVICE_FLAG;

/** What a card's filter lets through: frames to one, to all, and to groups that its device listens to (`LinkGroups`). `data` at the Ethernet header. */
export function passesGroupFilter({ flags, groups, broadcast }: NetDevice, skb: Skb): boolean {
  const { data, tail, memory } = skb;
  if (tail - data < broadcast.length || !isGroupMac(memory.view, data)) return true;
  if ((flags & (PROMISC | ALLMULTI)) !== 0 || isMac(memory.view, data, broadcast)) return true;
  for (let i = 0; i < groups.length; i++) if (isMac(memory.view, data, groups[i]!.address)) return true;
  return false;
}
