import type { Frozen, Plain, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { RouteStore } from './route-store.ts';

/** Version of the layout. */
const FROZEN_ROUTES = 1;

/** Every route, for the next generation. */
export function freezeRoutes(store: RouteStore): Frozen {
  const entries = [...store.entries(ADDRESS_FAMILY.INET), ...store.entries(ADDRESS_FAMILY.INET6)];
  return { version: FROZEN_ROUTES, data: entries.map(plainEntry) };
}

export function thawRoutes({ version, data }: Frozen, store: RouteStore): void {
  if (version !== FROZEN_ROUTES) throw new Error(`routes are frozen in layout ${version}`);
  store.restore((data as unknown as readonly FrozenEntry[]).map(entryOfPlain));
}

type FrozenEntry = Omit<RouteEntry, 'metrics'> & { readonly metrics?: readonly number[] };

function plainEntry({ metrics, ...entry }: RouteEntry): Plain {
  return { ...entry, ...(metrics === undefined ? {} : { metrics: [...metrics] }) } as unknown as Plain;
}

function entryOfPlain({ metrics, ...entry }: FrozenEntry): RouteEntry {
  return { ...entry, ...(metrics === undefined ? {} : { metrics: Int32Array.from(metrics) }) };
}
