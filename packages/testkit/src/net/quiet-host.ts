import type { KernelOptions } from '@softnet/kernel';

/**
 * Settings from the start of hosts that say nothing by themselves, so that a test sees what it asked for: addresses may be used at once, as
 * nobody looks for duplicates, no router is asked for, and groups are not reported. Usually: `accept_dad` 1, `router_solicitations` -1, `mld_reports` on.
 */
export const QUIET_HOST = Object.freeze({
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.default.router_solicitations': 0,
  'net.ipv6.conf.default.mld_reports': false,
} as const satisfies KernelOptions['settings']);

/** The same settings as Linux has them, for a host beside real ones. */
export const LINUX_HOST = Object.freeze({
  'net.ipv6.conf.default.accept_dad': 1,
  'net.ipv6.conf.default.router_solicitations': -1,
  'net.ipv6.conf.default.mld_reports': true,
} as const satisfies Record<keyof typeof QUIET_HOST, unknown>);

/** Little packet memory, so that a test with many hosts is quick: 8 MB instead of 48. Usually: 8,192 of each. */
export const LITTLE_MEMORY = Object.freeze({
  'net.core.skb_buffers': 2048,
  'net.core.skb_pages': 1024,
} as const satisfies KernelOptions['settings']);
