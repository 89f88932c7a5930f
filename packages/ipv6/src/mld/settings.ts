import type { Setting, SysctlBranch } from '@softnet/contract';

/** Linux's names and defaults, but for `mld_max_memberships`, which is ours. Read `value` at each use. */
export interface MldSettings {
  readonly maxMemberships: Setting<number>;
  readonly maxSources: Setting<number>;
  readonly robustness: Setting<number>;
}

/** @throws NetError EEXIST. */
export function defineMldSettings(sysctl: SysctlBranch): MldSettings {
  const int = (name: string, value: number, min: number, max: number, summary: string) =>
    sysctl.define(`net.ipv6.${name}`, { type: 'int', default: value, min, max, summary });
  return {
    maxMemberships: int('mld_max_memberships', 1000, 0, 65535, 'groups that a socket may be in, and anycast addresses that it may have'),
    maxSources: int('mld_max_msf', 64, 0, 65535, 'sources in the filter of a membership'),
    robustness: int('mld_qrv', 2, 1, 255, 'how often changes are reported, unless the querier says it (RFC 3810 §9.1)'),
  };
}
