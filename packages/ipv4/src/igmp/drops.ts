import type { DropReason } from '@softnet/contract';
import { IGMP_FAULT } from './wire.ts';

/** Why messages are dropped by what is around them; and packets to groups, by what members want. */
const OURS = {
  'igmp.ttl': 'its TTL is not 1: from beyond this link (RFC 3376 §4)',
  'igmp.router-alert': 'a query of version 2 or 3 without the router alert option (RFC 3376 §9.1)',
  'igmp.group': 'about an address that is no group, or that is never reported (RFC 3376 §4.1.3, RFC 2236 §6)',
  'igmp.query-source': 'asks for a source that is no single host (RFC 3376 §4.1.9)',
  'igmp.report-destination': 'a report that was not sent to its group (RFC 2236 §3)',
  'igmp.report-source': 'a report of a host of another subnet (RFC 3376 §9.2)',
  'igmp.for-routers': 'a leave, or a report of version 3: hosts have no use for it (RFC 3376 §4)',
  'igmp.no-group': 'on a device where no group can be joined',
  'ipv4.unwanted-source': 'from a source that nobody in the group wants to hear (RFC 3376 §3.2)',
} as const;

const TEXTS = { ...IGMP_FAULT, ...OURS } as const;

export type IgmpDrops = Readonly<Record<keyof typeof TEXTS, DropReason>>;

/** @param register `ctx.dropReason`. */
export function defineIgmpDrops(register: (name: string, text: string) => DropReason): IgmpDrops {
  return Object.freeze(Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [name, register(name, text)]))) as IgmpDrops;
}
