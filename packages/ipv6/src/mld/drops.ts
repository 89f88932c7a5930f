import type { DropReason } from '@softnet/contract';
import { MLD_FAULT } from './wire.ts';

/** Why messages are dropped by what is around them; and packets to groups, by what members want. */
const OURS = {
  'mld.source': 'its source is no link-local address: from beyond this link (RFC 3810 §5.1.14, RFC 3590 §4)',
  'mld.hop-limit': 'its hop limit is not 1: from beyond this link (RFC 3810 §6.2)',
  'mld.router-alert': 'without a hop-by-hop router alert option for MLD (RFC 3810 §6.2, RFC 2710 §3)',
  'mld.group': 'about an address that is no group, or of a scope that is never reported (RFC 3810 §5.1.5, RFC 2710 §5)',
  'mld.general-sources': 'a query of all groups that names sources (RFC 3810 §5.1.10)',
  'mld.report-destination': 'a report that was not sent to its group (RFC 2710 §3)',
  'mld.own': 'from an address of this host',
  'mld.for-routers': 'a done, or a report of version 2: hosts have no use for it (RFC 3810 §5, RFC 2710 §4)',
  'mld.no-link': 'on a device where no group can be joined',
  'ipv6.unwanted-source': 'from a source that nobody in the group wants to hear (RFC 3810 §4.2)',
  'ipv6.self-copies': 'too much of what this host sends to groups waits to come back to it, or the layer stops',
} as const;

const TEXTS = { ...MLD_FAULT, ...OURS } as const;

export type MldDrops = Readonly<Record<keyof typeof TEXTS, DropReason>>;

/** @param register `ctx.dropReason`. */
export function defineMldDrops(register: (name: string, text: string) => DropReason): MldDrops {
  return Object.freeze(Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [name, register(name, text)]))) as MldDrops;
}
