import { ADDRESS_FAMILY, ADDRESS_SCOPE, NEIGHBOUR_STATE, OPERSTATE, ROUTE_SCOPE, ROUTE_TYPE } from '@softnet/contract';

/** Numbers of the stack by the names that iproute2 gives them. */

const SCOPES: ReadonlyMap<number, string> = new Map([
  [ADDRESS_SCOPE.UNIVERSE, 'global'],
  [ADDRESS_SCOPE.LINK, 'link'],
  [ADDRESS_SCOPE.HOST, 'host'],
]);

/** RT_SCOPE_*: of routes the widest is called otherwise in a few words. */
const ROUTE_SCOPES: ReadonlyMap<number, string> = new Map([
  [ROUTE_SCOPE.UNIVERSE, 'global'],
  [ROUTE_SCOPE.SITE, 'site'],
  [ROUTE_SCOPE.LINK, 'link'],
  [ROUTE_SCOPE.HOST, 'host'],
  [ROUTE_SCOPE.NOWHERE, 'nowhere'],
]);

/** RTPROT_BOOT: by hand; `ip` does not say so. */
export const BY_HAND = 3;

/** RTPROT_*: who made a route. */
const ROUTE_SOURCES: ReadonlyMap<number, string> = new Map([
  [0, 'unspec'],
  [1, 'redirect'],
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [9, 'ra'],
  [16, 'dhcp'],
]);

/** RT_TABLE_*. */
const TABLES: ReadonlyMap<number, string> = new Map([
  [253, 'default'],
  [254, 'main'],
  [255, 'local'],
]);

export const MAIN_TABLE = 254;

const FAMILIES: ReadonlyMap<number, string> = new Map([
  [ADDRESS_FAMILY.INET, 'inet'],
  [ADDRESS_FAMILY.INET6, 'inet6'],
]);

const OPERSTATES: ReadonlyMap<number, string> = namesOf(OPERSTATE);
const NEIGHBOUR_STATES: ReadonlyMap<number, string> = namesOf(NEIGHBOUR_STATE);
const ROUTE_TYPES: ReadonlyMap<number, string> = namesOf(ROUTE_TYPE);

export function scopeName(scope: number): string {
  return SCOPES.get(scope) ?? String(scope);
}

/** The scope of this name or number, 0 to 255; undefined: neither. */
export function scopeNumber(text: string): number | undefined {
  const named = [...SCOPES].find(([, name]) => name === text)?.[0];
  return named ?? (/^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined);
}

export function sourceName(source: number): string {
  return ROUTE_SOURCES.get(source) ?? String(source);
}

/** Who makes routes, by name or number; undefined: neither. */
export function sourceNumber(text: string): number | undefined {
  return numberIn(ROUTE_SOURCES, text, 255);
}

export function routeScopeName(scope: number): string {
  return ROUTE_SCOPES.get(scope) ?? String(scope);
}

/** The scope of this name or number; undefined: neither. */
export function routeScopeNumber(text: string): number | undefined {
  return text === 'universe' ? ROUTE_SCOPE.UNIVERSE : numberIn(ROUTE_SCOPES, text, 255);
}

export function tableName(table: number): string {
  return TABLES.get(table) ?? String(table);
}

/** The table of this name or number, 1 and up; undefined: neither. */
export function tableNumber(text: string): number | undefined {
  const named = [...TABLES].find(([, name]) => name === text)?.[0];
  return named ?? (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);
}

export function familyName(family: number): string {
  return FAMILIES.get(family) ?? `family ${family}`;
}

/** RFC 2863's states as Linux writes them: 'LOWERLAYERDOWN'. */
export function operstateName(state: number): string {
  return (OPERSTATES.get(state) ?? String(state)).replaceAll('_', '');
}

export function neighbourStateName(state: number): string {
  return NEIGHBOUR_STATES.get(state) ?? String(state);
}

/** The state of this name, as `ip neigh` takes it after `nud`; undefined: none. */
export function neighbourStateNumber(text: string): number | undefined {
  return [...NEIGHBOUR_STATES].find(([, name]) => name.toLowerCase() === text)?.[0];
}

/** 'unicast', 'blackhole'. */
export function routeTypeName(type: number): string {
  return (ROUTE_TYPES.get(type) ?? String(type)).toLowerCase();
}

/** The type of this name; undefined: none. */
export function routeTypeNumber(text: string): number | undefined {
  return [...ROUTE_TYPES].find(([, name]) => name.toLowerCase() === text)?.[0];
}

function numberIn(names: ReadonlyMap<number, string>, text: string, most: number): number | undefined {
  const named = [...names].find(([, name]) => name === text)?.[0];
  if (named !== undefined) return named;
  return /^\d{1,3}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

function namesOf(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
}
