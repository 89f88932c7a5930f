import type { Setting, SysctlBranch } from '@softnet/contract';

/** Linux's names and defaults. Read `value` at each use. */
export interface IgmpSettings {
  readonly maxMemberships: Setting<number>;
  readonly maxSources: Setting<number>;
  readonly robustness: Setting<number>;
  readonly linkLocalReports: Setting<boolean>;
}

/** @throws NetError EEXIST. */
export function defineIgmpSettings(sysctl: SysctlBranch): IgmpSettings {
  const int = (name: string, value: number, min: number, max: number, summary: string) =>
    sysctl.define(`net.ipv4.${name}`, { type: 'int', default: value, min, max, summary });
  return {
    maxMemberships: int('igmp_max_memberships', 20, 0, 65535, 'groups that a socket may be in'),
    maxSources: int('igmp_max_msf', 10, 0, 65535, 'sources in the filter of a membership'),
    robustness: int('igmp_qrv', 2, 1, 255, 'how often changes are reported, unless the querier says it (RFC 3376 §8.1)'),
    linkLocalReports: sysctl.define('net.ipv4.igmp_link_local_mcast_reports', {
      ...{ type: 'bool', default: true },
      summary: 'groups of 224.0.0.0/24 are reported, but for 224.0.0.1',
    }),
  };
}
