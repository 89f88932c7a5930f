import type { SettingSpec, SysctlBranch } from '@softnet/contract';

/** Settings of the neighbours of one family; Linux's names and defaults. Read at each use. */
export interface NeighbourSettings {
  /** Solicitations without an answer until it has failed (RFC 4861 §10). */
  readonly multicastSolicit: number;
  readonly unicastSolicit: number;
  readonly delayFirstProbeMs: number;
  /** What may wait for one neighbour. */
  readonly queuePackets: number;
  readonly queueBytes: number;
  /** How many neighbours there are before any is collected; before it hurries; at most. */
  readonly collectFrom: number;
  readonly hurryFrom: number;
  readonly limit: number;
  readonly staleMs: number;
  readonly collectIntervalMs: number;
}

type Define = (
  name: string,
  spec: { readonly default: number; readonly min: number; readonly max: number },
  summary: string,
) => () => number;

/** Defines `net.FAMILY.neigh.default.*`. @param changed after each change of the limit. */
export function defineNeighbourSettings(sysctl: SysctlBranch, family: 'ipv4' | 'ipv6', changed: () => void): NeighbourSettings {
  const branch = `net.${family}.neigh.default`;
  const define: Define = (name, spec, summary) => {
    const whole: SettingSpec & { readonly summary: string } = { type: 'int', ...spec, summary };
    const setting = sysctl.define(`${branch}.${name}`, whole, name === 'gc_thresh3' ? changed : undefined);
    return () => setting.value as number;
  };
  const few = { min: 1, max: 100 } as const;
  const seconds = { min: 1, max: 86400 } as const;
  const many = { min: 0, max: 1 << 20 } as const;
  const multicast = define('mcast_solicit', { default: 3, ...few }, 'tries by multicast until a neighbour counts as gone');
  const unicast = define('ucast_solicit', { default: 3, ...few }, 'tries by unicast until a neighbour counts as gone');
  const delay = define('delay_first_probe_time', { default: 5, ...seconds }, 'seconds until a neighbour that is used unconfirmed is asked');
  const packets = define('unres_qlen', { default: 101, min: 1, max: 10_000 }, 'packets that may wait for a neighbour');
  const bytes = define('unres_qlen_bytes', { default: 212_992, min: 1, max: 1 << 30 }, 'bytes that may wait for a neighbour');
  const from = define('gc_thresh1', { default: 128, ...many }, 'neighbours that are kept whatever their age');
  const hurry = define('gc_thresh2', { default: 512, ...many }, 'neighbours from which on new ones push out idle ones');
  const limit = define('gc_thresh3', { default: 1024, ...many, min: 1 }, 'neighbours at most');
  const stale = define('gc_stale_time', { default: 60, ...seconds }, 'seconds unused until a stale neighbour is collected');
  const interval = define('gc_interval', { default: 30, ...seconds }, 'seconds between two collections');
  return {
    get multicastSolicit() {
      return multicast();
    },
    get unicastSolicit() {
      return unicast();
    },
    get delayFirstProbeMs() {
      return delay() * 1000;
    },
    get queuePackets() {
      return packets();
    },
    get queueBytes() {
      return bytes();
    },
    get collectFrom() {
      return from();
    },
    get hurryFrom() {
      return hurry();
    },
    get limit() {
      return limit();
    },
    get staleMs() {
      return stale() * 1000;
    },
    get collectIntervalMs() {
      return interval() * 1000;
    },
  };
}
