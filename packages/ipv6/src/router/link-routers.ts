import type { AddressWords, Frozen, NetDevice, Plain } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { OnLinkPrefix } from '../device/ipv6-link.ts';
import { isSame } from '../machine/address-kind.ts';
import type { Heard } from './heard-list.ts';
import { HeardList } from './heard-list.ts';
import type { RankedRoute, RouteEdits } from './router-routes.ts';
import { RouterRoutes } from './router-routes.ts';
import { RouterWatch } from './router-watch.ts';
import type { FrozenSchedule } from './solicitation-schedule.ts';
import { SolicitationSchedule } from './solicitation-schedule.ts';

/** Of one link, as RFC 8106 §5.3.1 leaves to hosts. */
const MAX_SERVERS = 8;
const MAX_DOMAINS = 16;

/** Layout of {@link freezeRouters}. */
export const FROZEN_ROUTERS = 1;

/** What routers say of the link itself (RFC 4861 §6.3.2). 0: none has said it. */
export interface LinkParameters {
  hopLimit: number;
  mtuBytes: number;
  reachableMs: number;
  retransMs: number;
}

/** What was heard of routers on one link. It parks: the next generation has it, whether or not this one has users yet. */
export class LinkRouters extends Held {
  readonly device: NetDevice;
  readonly routes: RouterRoutes;
  readonly servers = new HeardList<AddressWords>(MAX_SERVERS, (a, b) => isSame(a, ...b));
  readonly domains = new HeardList<string>(MAX_DOMAINS, (a, b) => a === b);
  readonly solicitations: SolicitationSchedule;
  readonly parameters: LinkParameters = { hopLimit: 0, mtuBytes: 0, reachableMs: 0, retransMs: 0 };
  readonly watch = new RouterWatch();
  /** Of the last generation, until its link has them: prefixes that are on it. */
  onLink: readonly OnLinkPrefix[] = [];

  constructor(device: NetDevice, edits: RouteEdits, fraction: () => number) {
    super();
    this.device = device;
    this.routes = new RouterRoutes(device, edits);
    this.solicitations = new SolicitationSchedule(fraction);
  }
}

interface RoutersData {
  readonly ifindex: number;
  readonly routes: readonly RankedRoute[];
  readonly servers: readonly Heard<AddressWords>[];
  readonly domains: readonly Heard<string>[];
  readonly schedule: FrozenSchedule;
  readonly parameters: LinkParameters;
  readonly onLink?: readonly OnLinkPrefix[];
}

/** As plain data for the next generation. */
export function freezeRouters(state: LinkRouters, onLink: readonly OnLinkPrefix[]): Frozen {
  const { device, routes, servers, domains, solicitations, parameters } = state;
  const data = {
    ...{ ifindex: device.ifindex, onLink, routes: routes.items, servers: servers.items, domains: domains.items },
    ...{ schedule: solicitations.freeze(), parameters: { ...parameters } },
  } satisfies RoutersData;
  return { version: FROZEN_ROUTERS, data: data as unknown as Plain };
}

/** On which device it was. */
export function frozenIfindex({ data }: Frozen): number {
  return (data as unknown as RoutersData).ifindex;
}

export function thawRouters({ data }: Frozen, into: LinkRouters): LinkRouters {
  const { routes, servers, domains, schedule, parameters, onLink = [] } = data as unknown as RoutersData;
  into.onLink = onLink;
  into.routes.thaw(routes);
  into.servers.items = servers;
  into.domains.items = domains;
  into.solicitations.thaw(schedule);
  Object.assign(into.parameters, parameters);
  return into;
}
