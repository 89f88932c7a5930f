import type { AddressWords, Dst, NetDevice, Plain } from '@softnet/contract';
import { DEVICE_FLAG, isRunning } from '@softnet/contract';
import { hashWords } from './address-hash.ts';
import { isOwn } from './destination.ts';
import type { RouteException } from './exceptions.ts';

/** What tells one next hop from another. */
export interface HopSpec {
  readonly family: number;
  /** One of `ROUTE_TYPE`. */
  readonly type: number;
  /** Null: this host itself, on no device in particular. */
  readonly device: NetDevice | null;
  /** 0: on the link. */
  readonly gatewayFamily: number;
  readonly gateway: AddressWords;
  /** The gateway is on the link though no route says so. */
  readonly onLink: boolean;
  readonly encap: { readonly name: string; readonly config: Plain } | null;
  readonly metrics: Int32Array | null;
  readonly realms: number;
}

/**
 * A next hop: shared by all routes that go that way, and so is its dst (rows R1, R2). Destinations that are not like the
 * others are its exceptions. Linux's `struct fib_nh_common`.
 */
export class Hop {
  readonly spec: HopSpec;
  readonly key: string;
  /** For the hash of exceptions: no two hops have the same. */
  readonly serial: number;
  readonly ifindex: number;
  /** Draws lots among several ways: the same for the same way, whatever else its routes say. int32. */
  readonly salt: number;
  /** Made at the first lookup after a change; null: to be made. */
  dst: Dst | null = null;
  /** How many exceptions it has: only then are they looked up. */
  exceptions = 0;
  oldestException: RouteException | null = null;
  newestException: RouteException | null = null;
  /** Which of them is looked at next when there are too many; null: the oldest. */
  exceptionHand: RouteException | null = null;
  /** The same way with realms that a rule gave, by realms. Null: none. */
  withRealms: Map<number, Hop> | null = null;
  /** Whose {@link withRealms} it is. */
  base: Hop | null = null;
  /** Routes that use it. */
  users = 0;
  /** Its device is there and up, and has carrier where the layer wants that. This host can be reached without. */
  alive = false;
  /** And has carrier: preferred among several. */
  running = false;
  /** Its device was unregistered, and does not come back. */
  gone = false;

  constructor(spec: HopSpec, key: string, serial: number, needsCarrier: boolean) {
    this.spec = spec;
    this.key = key;
    this.serial = serial;
    this.ifindex = spec.device?.ifindex ?? 0;
    this.salt = saltOf(spec);
    refreshHop(this, needsCarrier);
  }
}

/** The device has changed. @param needsCarrier without, it counts as dead. Returns whether that matters to who looks up. */
export function refreshHop(hop: Hop, needsCarrier: boolean): boolean {
  const { alive, running } = hop;
  const { device, type } = hop.spec;
  const local = isOwn(type);
  hop.alive = !hop.gone && (local || (device !== null && (device.flags & DEVICE_FLAG.UP) !== 0));
  hop.running = hop.alive && (local || device === null || isRunning(device));
  if (needsCarrier && !hop.running) hop.alive = false;
  return hop.alive !== alive || hop.running !== running;
}

/** Equal for equal hops, and for no others. */
export function keyOfHop({ family, type, device, gatewayFamily, gateway, onLink, encap, metrics, realms }: HopSpec): string {
  return JSON.stringify([
    ...[family, type, device?.ifindex ?? 0, gatewayFamily, gateway, onLink ? 1 : 0, realms, metrics === null ? 0 : [...metrics]],
    encap === null ? 0 : [encap.name, plainKey(encap.config)],
  ]);
}

function saltOf({ device, gatewayFamily, gateway, encap }: HopSpec): number {
  let salt = hashWords(device?.ifindex ?? 0, ...gateway, gatewayFamily);
  if (encap === null) return salt;
  for (const char of JSON.stringify([encap.name, plainKey(encap.config)])) salt = (Math.imul(salt, 31) + char.codePointAt(0)!) | 0;
  return salt;
}

/** Plain data as JSON can say it without taking two for one. */
function plainKey(value: Plain): unknown {
  if (typeof value === 'bigint') return { bigint: `${value}` };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plainKey);
  if (typeof value !== 'object' || value === null) return value;
  return { fields: Object.entries(value).map(([name, field]) => [name, plainKey(field)]) };
}
