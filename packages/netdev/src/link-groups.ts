import type { LinkGroups as Contract, LinkGroup, NetDevice } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';

/**
 * Which link addresses a device listens to, counted; its driver is told at each change. The counts stand in the device, so they stay when this module is
 * replaced. Linux's `dev_mc_add`, `dev_set_promiscuity`.
 */
export class LinkGroups implements Contract {
  /** Tells the driver, and all who listen, that flags have changed too. */
  readonly #tell: (device: NetDevice, flagsChanged: boolean) => void;

  constructor(tell: (device: NetDevice, flagsChanged: boolean) => void) {
    this.#tell = tell;
  }

  add(device: NetDevice, linkAddress: Uint8Array): void {
    const found = device.groups.find(({ address }) => isSame(address, linkAddress));
    const more = { address: found?.address ?? linkAddress.slice(), users: (found?.users ?? 0) + 1 };
    device.groups = found === undefined ? [...device.groups, more] : replaced(device.groups, found, more);
    if (found === undefined) this.#tell(device, false);
  }

  remove(device: NetDevice, linkAddress: Uint8Array): void {
    const found = device.groups.find(({ address }) => isSame(address, linkAddress));
    if (found === undefined) return;
    const { address, users } = found;
    device.groups = replaced(device.groups, found, users > 1 ? { address, users: users - 1 } : null);
    if (users === 1) this.#tell(device, false);
  }

  wantAllGroups(device: NetDevice, wanted: boolean): void {
    const before = device.allGroupsUsers;
    device.allGroupsUsers = Math.max(0, before + (wanted ? 1 : -1));
    this.#flag(device, DEVICE_FLAG.ALLMULTI, before, device.allGroupsUsers);
  }

  wantAllFrames(device: NetDevice, wanted: boolean): void {
    const before = device.allFramesUsers;
    device.allFramesUsers = Math.max(0, before + (wanted ? 1 : -1));
    this.#flag(device, DEVICE_FLAG.PROMISC, before, device.allFramesUsers);
  }

  of(device: NetDevice): readonly Uint8Array[] {
    return addressesOf(device);
  }

  /** Somebody sets flags by hand: that is one user more, or one fewer. Returns those of the two that are in force. */
  setByHand(device: NetDevice, before: number, flags: number): number {
    const { PROMISC, ALLMULTI } = DEVICE_FLAG;
    const changed = before ^ flags;
    if ((changed & ALLMULTI) !== 0) device.allGroupsUsers = Math.max(0, device.allGroupsUsers + ((flags & ALLMULTI) === 0 ? -1 : 1));
    if ((changed & PROMISC) !== 0) device.allFramesUsers = Math.max(0, device.allFramesUsers + ((flags & PROMISC) === 0 ? -1 : 1));
    return (device.allGroupsUsers > 0 ? ALLMULTI : 0) | (device.allFramesUsers > 0 ? PROMISC : 0);
  }

  #flag(device: NetDevice, flag: number, before: number, now: number): void {
    if (before > 0 === now > 0) return;
    device.flags = now > 0 ? device.flags | flag : device.flags & ~flag;
    this.#tell(device, true);
  }
}

/** What a driver is told. */
export function addressesOf({ groups }: NetDevice): readonly Uint8Array[] {
  return groups.map(({ address }) => address);
}

function replaced(groups: readonly LinkGroup[], before: LinkGroup, now: LinkGroup | null): readonly LinkGroup[] {
  return groups.flatMap((each) => (each !== before ? [each] : now === null ? [] : [now]));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
