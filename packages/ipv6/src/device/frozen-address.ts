import type { AddressWords, DeviceTraffic, Frozen, InterfaceAddress, Plain } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress as Entry, NetError } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import type { FrozenDetection } from '../dad/duplicate-detection.ts';
import { AddressState, ORIGIN, stateOf } from '../machine/address-state.ts';

/** Layouts of an address as plain data: the second adds all behind the flags. */
export const FROZEN_ADDRESS_LAYOUTS = Object.freeze([1, 2]);

/** Of an address's {@link AddressState}. */
interface FrozenState {
  readonly origin: number;
  readonly detection: FrozenDetection | null;
  readonly attempt: number;
  readonly createdMs: number;
  readonly desyncMs: number;
  readonly isSucceeded: boolean;
  readonly advertisers: readonly AddressWords[];
}

/** Layout 2; of layout 1 there are the fields up to the flags. */
interface FrozenAddress {
  readonly ifindex: number;
  readonly address: AddressWords;
  readonly prefixLen: number;
  readonly scope: number;
  readonly flags: number;
  /** Null: for ever. */
  readonly preferredUntilMs?: number | null;
  readonly validUntilMs?: number | null;
  readonly peer?: AddressWords | null;
  readonly metric?: number;
  readonly label?: string;
  readonly state?: FrozenState;
}

/** An address as plain data for the next generation. */
export function freezeAddress(entry: InterfaceAddress): Frozen {
  const { device, address, prefixLen, scope, flags, preferredUntilMs, validUntilMs, peer, metric, label } = entry;
  const { detection, origin, attempt, createdMs, desyncMs, isSucceeded, advertisers } = stateOf(entry);
  const state: FrozenState = { origin, detection: detection?.freeze() ?? null, attempt, createdMs, desyncMs, isSucceeded, advertisers };
  const lives = { preferredUntilMs: finite(preferredUntilMs), validUntilMs: finite(validUntilMs) };
  const data: FrozenAddress = { ifindex: device.ifindex, address, prefixLen, scope, flags, ...lives, peer, metric, label, state };
  return { version: 2, data: data as unknown as Plain };
}

/** An address of the last generation, and where its search stood; null: there was none, or that generation knew of none. */
export interface ThawedAddress {
  readonly entry: InterfaceAddress;
  readonly detection: FrozenDetection | null;
}

/** @throws NetError ENODEV. */
export function thawAddress({ data }: Frozen, traffic: DeviceTraffic, nowMs: number): ThawedAddress {
  const { ifindex, address, prefixLen, scope, flags, state, ...more } = data as unknown as FrozenAddress;
  const device = traffic.byIndex(ifindex);
  if (device === null) throw new NetError('ENODEV', `the address ${formatIpv6(...address)} is on device ${ifindex}, which is not there`);
  const entry = new Entry(ADDRESS_FAMILY.INET6, device, address, prefixLen);
  entry.scope = scope;
  entry.flags = flags;
  entry.preferredUntilMs = more.preferredUntilMs ?? Number.POSITIVE_INFINITY;
  entry.validUntilMs = more.validUntilMs ?? Number.POSITIVE_INFINITY;
  entry.peer = more.peer ?? null;
  entry.metric = more.metric ?? 0;
  entry.label = more.label ?? '';
  entry.ext = thawState(state, flags, nowMs);
  // What the link had for itself was not called permanent in layout 1.
  if (state === undefined) entry.flags |= ADDRESS_FLAG.PERMANENT;
  return { entry, detection: state?.detection ?? null };
}

function thawState(frozen: FrozenState | undefined, flags: number, nowMs: number): AddressState {
  if (frozen === undefined) return new AddressState((flags & ADDRESS_FLAG.PERMANENT) === 0 ? ORIGIN.LINK : ORIGIN.HAND, nowMs);
  const state = new AddressState(frozen.origin, frozen.createdMs);
  const { attempt, desyncMs, isSucceeded, advertisers } = frozen;
  return Object.assign(state, { attempt, desyncMs, isSucceeded, advertisers });
}

function finite(untilMs: number): number | null {
  return Number.isFinite(untilMs) ? untilMs : null;
}
