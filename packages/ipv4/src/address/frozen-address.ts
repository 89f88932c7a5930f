import type { AddressWords, Frozen, InterfaceAddress, NetDevice, Plain } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress as Entry, IPV4_WORD2 } from '@softnet/contract';
import type { FrozenClaim } from '../acd/conflict-detection.ts';
import { broadcastOf, wordOf } from '../machine/address-book.ts';

/** Layouts of an address as plain data: the second adds all behind the flags. */
export const FROZEN_ADDRESS_LAYOUTS = Object.freeze([1, 2]);

/** What an address hands on beyond its fields. */
export interface AddressHeritage {
  /** Who looks after it, by RFC 5227; null: nobody. */
  readonly claim: { readonly defence: number; readonly claim: FrozenClaim } | null;
  /** It was chosen at this attempt (RFC 3927); -1: by others. */
  readonly attempt: number;
}

/** An address as plain data, layout 2; of layout 1 there are the fields up to the flags. */
interface FrozenAddress {
  readonly ifindex: number;
  readonly address: number;
  readonly prefixLen: number;
  readonly scope: number;
  readonly flags: number;
  readonly preferredUntilMs?: number;
  readonly validUntilMs?: number;
  readonly broadcast?: AddressWords | null;
  readonly peer?: AddressWords | null;
  readonly metric?: number;
  readonly label?: string;
  readonly heritage?: AddressHeritage;
}

export function freezeAddress(entry: InterfaceAddress, heritage: AddressHeritage): Frozen {
  const { device, prefixLen, scope, flags, preferredUntilMs, validUntilMs, broadcast, peer, metric, label } = entry;
  const own = { ifindex: device.ifindex, address: wordOf(entry), prefixLen, scope, flags };
  const more = { preferredUntilMs, validUntilMs, broadcast, peer, metric, label };
  return { version: 2, data: { ...own, ...more, heritage: heritage as unknown as Plain } };
}

/** The interface that a frozen address is of. */
export function frozenIfindex({ data }: Frozen): number {
  return (data as unknown as FrozenAddress).ifindex;
}

export function thawAddress({ data }: Frozen, device: NetDevice): { readonly entry: InterfaceAddress; readonly heritage: AddressHeritage } {
  const { address, prefixLen, scope, flags, heritage = { claim: null, attempt: -1 }, ...more } = data as unknown as FrozenAddress;
  const entry = new Entry(ADDRESS_FAMILY.INET, device, [0, 0, IPV4_WORD2, address], prefixLen);
  entry.scope = scope;
  entry.flags = flags & ~ADDRESS_FLAG.SECONDARY;
  entry.peer = more.peer ?? null;
  const computed = broadcastOf(entry);
  const usual: AddressWords | null = computed === 0 ? null : [0, 0, IPV4_WORD2, computed];
  entry.broadcast = more.broadcast === undefined ? usual : more.broadcast;
  entry.preferredUntilMs = more.preferredUntilMs ?? Number.POSITIVE_INFINITY;
  entry.validUntilMs = more.validUntilMs ?? Number.POSITIVE_INFINITY;
  entry.metric = more.metric ?? 0;
  entry.label = more.label ?? '';
  return { entry, heritage };
}

/** The same address for the next generation, which holds it as its own. */
export function copyAddress(before: InterfaceAddress): InterfaceAddress {
  const entry = new Entry(ADDRESS_FAMILY.INET, before.device, before.address, before.prefixLen);
  const { scope, flags, broadcast, peer, metric, label, preferredUntilMs, validUntilMs } = before;
  Object.assign(entry, { scope, flags, broadcast, peer, metric, label, preferredUntilMs, validUntilMs });
  entry.flags &= ~ADDRESS_FLAG.SECONDARY;
  return entry;
}
