import type { NetDevice, Setting, SysctlBranch } from '@softnet/contract';
import type { ConfSpec } from '@softnet/inet';
import { DeviceConf } from '@softnet/inet';

/** Settings that each device has, `net.ipv4.neigh.{default,eth0}.*`. */
export type NeighbourConfName = keyof ReturnType<typeof specsOf>;

/** Settings of the neighbours of one family; Linux's names and defaults. Read at each use. */
export interface NeighbourSettings {
  /** How many neighbours there are before any is collected; before it hurries; at most. */
  readonly collectFrom: number;
  readonly hurryFrom: number;
  readonly limit: number;
  readonly collectIntervalMs: number;
  /** Packets that may wait for all of them together. */
  readonly waitingPackets: number;
  /** What is in force on a device. */
  value(ifindex: number, name: NeighbourConfName): number;
}

/** {@link NeighbourSettings} as a kernel has them. */
export interface NeighbourConf extends NeighbourSettings {
  /** @param event one of `DEVICE_EVENT`. Tell it first. */
  deviceChanged(device: NetDevice, event: number): void;
}

/** Defines `net.FAMILY.neigh.*`. @param changed after each change of the limit. @throws NetError EEXIST. */
export function defineNeighbourSettings(sysctl: SysctlBranch, family: 'ipv4' | 'ipv6', changed: () => void): NeighbourConf {
  const branch = `net.${family}.neigh`;
  const define = (name: string, usual: number, min: number, max: number, summary: string): Setting<number> =>
    sysctl.define(
      `${branch}.default.${name}`,
      { type: 'int', default: usual, min, max, summary },
      name === 'gc_thresh3' ? changed : undefined,
    );
  const many = 1 << 20;
  const from = define('gc_thresh1', 128, 0, many, 'neighbours that are kept whatever their age');
  const hurry = define('gc_thresh2', 512, 0, many, 'neighbours from which on idle ones are collected at once');
  const limit = define('gc_thresh3', 1024, 1, many, 'neighbours at most');
  const interval = define('gc_interval', 30, 1, 86_400, 'seconds between two collections');
  const waiting = define('unres_qlen_all', 2048, 1, many, 'packets that may wait for all neighbours together: the oldest go');
  const conf = new DeviceConf(sysctl, branch, specsOf(family), false);
  return {
    get collectFrom() {
      return from.value;
    },
    get hurryFrom() {
      return hurry.value;
    },
    get limit() {
      return limit.value;
    },
    get collectIntervalMs() {
      return interval.value * 1000;
    },
    get waitingPackets() {
      return waiting.value;
    },
    value: (ifindex, name) => conf.value(ifindex, name),
    deviceChanged: (device, event) => conf.deviceChanged(device, event),
  };
}

const FEW = Object.freeze({ default: 3, min: 1, max: 100, join: 'own' } as const);
const SECONDS = Object.freeze({ min: 1, max: 86_400, join: 'own' } as const);
const MS = Object.freeze({ min: 1, max: 0x3fffffff, join: 'own' } as const);

function specsOf(family: 'ipv4' | 'ipv6') {
  // RFC 4861 §7.2.5 knows no such time: a solicited advertisement with override is believed at once.
  const locktime = family === 'ipv4' ? 100 : 0;
  return {
    mcast_solicit: { ...FEW, summary: 'tries by multicast until a neighbour counts as gone' },
    ucast_solicit: { ...FEW, summary: 'tries by unicast until a neighbour counts as gone' },
    delay_first_probe_time: { ...SECONDS, default: 5, summary: 'seconds until a neighbour that is used unconfirmed is asked' },
    base_reachable_time_ms: { ...MS, default: 30_000, summary: 'how long a neighbour counts as reachable, on average (RFC 4861 §6.3.2)' },
    retrans_time_ms: { ...MS, default: 1000, summary: 'ms between two tries' },
    gc_stale_time: { ...SECONDS, default: 60, summary: 'seconds unused until a stale neighbour is collected' },
    unres_qlen: { default: 101, min: 1, max: 10_000, join: 'own', summary: 'packets that may wait for a neighbour' },
    unres_qlen_bytes: { default: 212_992, min: 1, max: 1 << 30, join: 'own', summary: 'bytes that may wait for a neighbour' },
    locktime: {
      ...{ default: locktime, min: 0, max: 6000, join: 'own' },
      summary: '1/100 s in which the first of several answers counts, when they name different link addresses',
    },
  } as const satisfies Record<string, ConfSpec>;
}
