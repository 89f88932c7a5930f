import type { SettingSpec, SysctlBranch } from '@softnet/contract';
import type { TcpSettings } from '../machine/tcp-settings.ts';
import type { IntSetting } from './setting-table.ts';
import { OBEYED, TAKEN } from './setting-table.ts';

/** What the socket room asks of settings beside its machine. */
export interface SocketSettings extends TcpSettings {
  /** `net.core.somaxconn`. */
  readonly somaxconn: number;
  /** `tcp_tw_reuse`. */
  readonly twReuse: number;
  /** `tcp_mem`: least, pressure, most pages of 4 KiB that all connections have together. */
  readonly mem: readonly number[];
}

const PAGE_BYTES = 4096;
/** `tcp_mem` where nothing is said, as parts of the pool's small buffers, or of its pages, whichever are less; what is received and what is sent takes either. */
const MEM_PARTS = [3 / 4, 1, 3 / 2] as const;
const MEM_SUMMARY =
  'pages of 4 KiB that all connections have together: below the first nobody is held short, above the second all are, above the third nothing is let in';
const CONTROL = Object.freeze({
  type: 'string',
  default: 'cubic',
  maxLength: 15,
  summary: 'congestion control of sockets that choose none; where it is not loaded, reno, or plain slow start and avoidance',
} as const);
const PAGES = Object.freeze({ type: 'ints', min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'pages' } as const);
const BYTES = Object.freeze({ type: 'ints', min: 1, max: 0x7fffffff, unit: 'bytes' } as const);
const MOST_INT = 0x7fffffff;

type IntsSpec = Extract<SettingSpec, { readonly type: 'ints' }> & { readonly summary: string };

/** Defines them all. `tcp_mem` begins with what a pool of `roomBytes` bears. The record that is returned has the present values: plain fields, as they are read for each segment. */
export function defineSettings(sysctl: SysctlBranch, roomBytes: number): SocketSettings {
  const values: Record<string, boolean | number | string | readonly number[]> = {};
  for (const each of OBEYED) defineInt(sysctl, values, each);
  for (const each of TAKEN) defineInt(sysctl, values, { ...each, summary: `taken, and does nothing yet: ${each.summary}` });
  const put = (field: string, value: string | readonly number[]): void => {
    values[field] = value;
  };
  const ints = (field: string, spec: IntsSpec): void => {
    put(field, sysctl.define(`net.ipv4.tcp_${field}`, spec, (value) => put(field, value)).value);
  };
  ints('rmem', { ...BYTES, default: [4096, 131_072, 6_291_456], summary: 'least, first and most bytes of a receive buffer' });
  ints('wmem', { ...BYTES, default: [4096, 16_384, 4_194_304], summary: 'least, first and most bytes of a send buffer' });
  const memPages = MEM_PARTS.map((part) => Math.floor((roomBytes * part) / PAGE_BYTES));
  ints('mem', { ...PAGES, default: memPages, summary: MEM_SUMMARY });
  const control = sysctl.define('net.ipv4.tcp_congestion_control', CONTROL, (value) => put('congestionControl', value));
  put('congestionControl', control.value);
  return values as unknown as SocketSettings;
}

function defineInt(sysctl: SysctlBranch, values: Record<string, unknown>, { name, field, as, unit, summary, ...range }: IntSetting): void {
  const set = (value: number): void => {
    if (field !== null) values[field] = as === 'bool' ? value !== 0 : Math.min(value, MOST_INT);
  };
  const spec = {
    type: 'int',
    default: range.default,
    min: range.min,
    max: range.max,
    ...(unit === undefined ? {} : { unit }),
    summary,
  } as const;
  set(sysctl.define(name, spec, set).value);
}
