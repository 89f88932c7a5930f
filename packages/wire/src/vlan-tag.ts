import { ETHERTYPE } from '@softnet/contract';
import { inRange, refused } from './field-range.ts';

/**
 * The tag of IEEE 802.1Q (§9.3): TPID, then priority, drop-eligible bit and VLAN identifier. On the packet's way it is one
 * int32, TPID << 16 | TCI, as in `skb.vlan`.
 */
export const VLAN_TAG_BYTES = 4;

/** Whether this ethertype opens a tag: 802.1Q's, or the outer one of 802.1ad. */
export function isVlanTpid(type: number): boolean {
  return type === ETHERTYPE.VLAN || type === ETHERTYPE.QINQ;
}

/** The tag whose TPID stands at `offset`. */
export function vlanTag(view: DataView, offset: number): number {
  return view.getInt32(offset);
}

export function setVlanTag(view: DataView, offset: number, tag: number): void {
  view.setInt32(offset, tag);
}

export function vlanTpid(tag: number): number {
  return tag >>> 16;
}

/** 0 to 7 (PCP). */
export function vlanPriority(tag: number): number {
  return (tag >>> 13) & 7;
}

/** DEI: to be dropped first. */
export function isVlanDropEligible(tag: number): boolean {
  return (tag & 0x1000) !== 0;
}

/** 0 to 4095; 0: only the priority counts. */
export function vlanId(tag: number): number {
  return tag & 0xfff;
}

/** A tag as a plain value. */
export interface VlanTag {
  /** `ETHERTYPE.VLAN` or `QINQ`. */
  readonly tpid: number;
  /** 0 to 7. */
  readonly priority: number;
  readonly dropEligible: boolean;
  /** 0 to 4095. */
  readonly id: number;
}

export function parseVlanTag(tag: number): VlanTag {
  return { tpid: vlanTpid(tag), priority: vlanPriority(tag), dropEligible: isVlanDropEligible(tag), id: vlanId(tag) };
}

/** As one int32. @throws NetError EINVAL */
export function emitVlanTag({ tpid, priority, dropEligible, id }: VlanTag): number {
  if (!isVlanTpid(tpid)) throw refused('vlan.tpid', String(tpid), 'ETHERTYPE.VLAN or ETHERTYPE.QINQ');
  return (tpid << 16) | (inRange('vlan.priority', priority, 7) << 13) | (dropEligible ? 0x1000 : 0) | inRange('vlan.id', id, 0xfff);
}
