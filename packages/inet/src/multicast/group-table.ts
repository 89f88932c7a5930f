import type { AddressWords, NetDevice } from '@softnet/contract';
import { GROUP_FILTER, hasSource } from '@softnet/contract';
import { GroupFilter } from './group-filter.ts';

/** A group that somebody of this host is in, on one device. */
export class JoinedGroupState {
  readonly device: NetDevice;
  readonly group: AddressWords;
  readonly filter = new GroupFilter();
  /** The next one of the same place in the table. */
  next: JoinedGroupState | null = null;

  constructor(device: NetDevice, group: AddressWords) {
    this.device = device;
    this.group = group;
  }
}

/** Groups of all devices of a layer: asked for each packet to a group, without a byte of garbage. */
export class GroupTable {
  /** By ifindex, then by the lowest word of the group. */
  readonly #devices: (Map<number, JoinedGroupState> | undefined)[] = [];

  find(ifindex: number, word0: number, word1: number, word2: number, word3: number): JoinedGroupState | null {
    let state = this.#devices[ifindex]?.get(word3) ?? null;
    while (state !== null && (state.group[2] !== word2 || state.group[1] !== word1 || state.group[0] !== word0)) state = state.next;
    return state;
  }

  /** The group, from now on in the table. */
  have(device: NetDevice, group: AddressWords): JoinedGroupState {
    const found = this.find(device.ifindex, group[0], group[1], group[2], group[3]);
    if (found !== null) return found;
    this.#devices[device.ifindex] ??= new Map();
    const groups = this.#devices[device.ifindex]!;
    const made = new JoinedGroupState(device, group);
    made.next = groups.get(group[3]) ?? null;
    groups.set(group[3], made);
    return made;
  }

  drop(ifindex: number, { group }: JoinedGroupState): void {
    const groups = this.#devices[ifindex];
    if (groups === undefined) return;
    const kept: JoinedGroupState[] = [];
    for (let state = groups.get(group[3]) ?? null; state !== null; state = state.next) if (state.group !== group) kept.push(state);
    for (const [i, state] of kept.entries()) state.next = kept[i + 1] ?? null;
    if (kept.length > 0) groups.set(group[3], kept[0]!);
    else groups.delete(group[3]);
  }

  /** The device is gone. */
  dropDevice(ifindex: number): void {
    this.#devices[ifindex] = undefined;
  }

  /** All, of one device or of all. */
  list(ifindex = 0): JoinedGroupState[] {
    const maps = ifindex === 0 ? this.#devices : [this.#devices[ifindex]];
    const all: JoinedGroupState[] = [];
    for (const map of maps) {
      if (map === undefined) continue;
      for (const first of map.values())
        for (let state: JoinedGroupState | null = first; state !== null; state = state.next) all.push(state);
    }
    return all;
  }
}

/** Does somebody in the group want what comes from there? */
export function takesSource({ filter }: JoinedGroupState, word0: number, word1: number, word2: number, word3: number): boolean {
  const { merged } = filter;
  return hasSource(merged.sources, word0, word1, word2, word3) === (merged.filter === GROUP_FILTER.INCLUDE);
}
