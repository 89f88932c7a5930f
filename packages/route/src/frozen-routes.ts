import type { Frozen, Plain, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { aliasesOf, entryOf } from './route-alias.ts';
import type { HandedTable, RouteStore } from './route-store.ts';
import type { RouteTable } from './route-table.ts';

/** Version of the layout: tables in columns, as there may be a million routes. */
const FROZEN_ROUTES = 2;
/** Of what routes of one prefix have alike with others. */
const NOWHERE = Object.freeze({ prefix: [0, 0, 0, 0], prefixLen: 0 } as const);

interface FrozenTable {
  readonly family: number;
  readonly number: number;
  /** Of `RouteTable.columns`. */
  readonly list: Uint8Array;
  readonly chains: readonly (readonly [id: number, routes: readonly FrozenEntry[]])[];
}

/** Every route, for the next generation. */
export function freezeRoutes(store: RouteStore): Frozen {
  const tables = [...store.tablesOf(ADDRESS_FAMILY.INET), ...store.tablesOf(ADDRESS_FAMILY.INET6)];
  return { version: FROZEN_ROUTES, data: tables.map(frozenTable) as unknown as Plain };
}

export function thawRoutes({ version, data }: Frozen, store: RouteStore): void {
  if (version !== FROZEN_ROUTES) throw new Error(`routes are frozen in layout ${version}`);
  store.restore((data as unknown as readonly FrozenTable[]).map(thawedTable));
}

type FrozenEntry = Omit<RouteEntry, 'metrics'> & { readonly metrics?: readonly number[] };

function frozenTable(table: RouteTable): FrozenTable {
  const { list, firsts } = table.columns();
  const chains = firsts.flatMap((first, id) => {
    if (first === null) return [];
    return [[id, aliasesOf(first).map((alias) => plainEntry(entryOf(alias, table, NOWHERE)))] as const];
  });
  return { family: table.family, number: table.number, list: new Uint8Array(list.buffer), chains };
}

function thawedTable({ family, number, list, chains }: FrozenTable): HandedTable {
  // A copy: bytes that were handed over may begin anywhere.
  const words = new Int32Array(new Uint8Array(list).buffer);
  return { family, number, list: words, chains: chains.map(([id, routes]) => [id, routes.map(entryOfPlain)] as const) };
}

function plainEntry({ metrics, ...entry }: RouteEntry): FrozenEntry {
  return { ...entry, ...(metrics === undefined ? {} : { metrics: [...metrics] }) };
}

function entryOfPlain({ metrics, ...entry }: FrozenEntry): RouteEntry {
  return { ...entry, ...(metrics === undefined ? {} : { metrics: Int32Array.from(metrics) }) };
}
