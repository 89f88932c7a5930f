import type { SysctlBranch } from '@softnet/contract';
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

/** Of a 64-bit Linux with some gigabytes. */
const MEM_PAGES = [188_000, 251_000, 376_000] as const;
const PAGES = Object.freeze({ type: 'ints', min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'pages' } as const);
const BYTES = Object.freeze({ type: 'ints', min: 1, max: 0x7fffffff, unit: 'bytes' } as const);
const MOST_INT = 0x7fffffff;

/** Defines them all. The record that is returned has the present values: plain fields, as they are read for each segment. */
export function defineSettings(sysctl: SysctlBranch): SocketSettings {
  const values: Record<string, boolean | number | string | readonly number[]> = {};
  for (const each of OBEYED) defineInt(sysctl, values, each);
  for (const each of TAKEN) defineInt(sysctl, values, each);
  const bytesOf = (field: string, linux: string, defaults: readonly number[], summary: string): void => {
    const set = (value: readonly number[]): void => void (values[field] = value);
    set(sysctl.define(`net.ipv4.${linux}`, { ...BYTES, default: defaults, summary }, set).value);
  };
  bytesOf('rmem', 'tcp_rmem', [4096, 131_072, 6_291_456], 'least, first and most bytes of a receive buffer');
  bytesOf('wmem', 'tcp_wmem', [4096, 16_384, 4_194_304], 'least, first and most bytes of a send buffer');
  const setMem = (value: readonly number[]): void => void (values.mem = value);
  const mem =
    'pages of 4 KiB that all connections have together: below the first nobody is held short, above the second all are, above the third nothing is let in';
  setMem(sysctl.define('net.ipv4.tcp_mem', { ...PAGES, default: MEM_PAGES, summary: mem }, setMem).value);
  const setControl = (value: string): void => void (values.congestionControl = value);
  setControl(
    sysctl.define(
      'net.ipv4.tcp_congestion_control',
      {
        type: 'string',
        default: 'cubic',
        maxLength: 15,
        summary: 'of sockets that choose none; where it is not loaded, reno, or plain slow start and avoidance',
      },
      setControl,
    ).value,
  );
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
