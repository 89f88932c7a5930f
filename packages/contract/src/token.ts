import type { Errno, NetError } from './errno.ts';

/** Makes the error that a caller of an absent service gets: it names the module that left, or says that none is loaded. */
export type Refusal = () => NetError;

/**
 * Names a service: an interface that at most one live module provides, reached through a {@link Port}.
 * The token has its interface's name (`export interface Route …; export const Route = defineService<Route>(…)`).
 */
export interface ServiceToken<T extends object> {
  readonly sort: 'service';
  readonly name: string;
  /** Semver of the interface. */
  readonly version: string;
  /** `Symbol.for('softnet:NAME@MAJOR')`: equal in every copy of the contract of that major. */
  readonly key: symbol;
  /** The errno that callers get while no module provides it. */
  readonly errno: Errno;
  /** Set for the hottest services: `port.current` is then one fixed record of these functions, for ever of one shape. */
  readonly methods: readonly (keyof T & string)[] | undefined;
  /** What stands in while no module provides it: it answers errno or drop, never undefined. */
  readonly absent: (refusal: Refusal) => T;
}

/** Names a point of contribution: an interface of which any number of live modules contribute one or more. */
export interface PointToken<T extends object> {
  readonly sort: 'point';
  readonly name: string;
  /** Semver of the interface. */
  readonly version: string;
  readonly key: symbol;
  /** Carries the type; never set. */
  readonly item?: T;
}

/** A token of either sort. */
// biome-ignore lint/suspicious/noExplicitAny: a token of any interface; `unknown` is not assignable under contravariance
export type AnyToken = ServiceToken<any> | PointToken<any>;

/** What {@link defineService} takes. */
export interface ServiceSpec<T extends object> {
  readonly name: string;
  readonly version: string;
  /** Default ESHUTDOWN. Choose what makes users' programs fall back: an address family says EAFNOSUPPORT. */
  readonly errno?: Errno;
  /** Names every method: makes the port a fixed record of functions (measured: see docs/performance.md). */
  readonly methods?: readonly (keyof T & string)[];
  /** Default: every method throws the refusal. A service on the packet's way should drop instead. */
  readonly absent?: (refusal: Refusal) => T;
}

/** Defines the token of a service. Call once for each interface, in the package that owns the interface. */
export function defineService<T extends object>(spec: ServiceSpec<T>): ServiceToken<T> {
  return Object.freeze({
    sort: 'service' as const,
    name: spec.name,
    version: spec.version,
    key: tokenKey(spec.name, spec.version),
    errno: spec.errno ?? 'ESHUTDOWN',
    methods: spec.methods,
    absent: spec.absent ?? refuseEverything,
  });
}

/** Defines the token of a point of contribution. */
export function definePoint<T extends object>(spec: { readonly name: string; readonly version: string }): PointToken<T> {
  return Object.freeze({
    sort: 'point' as const,
    name: spec.name,
    version: spec.version,
    key: tokenKey(spec.name, spec.version),
  });
}

/** `Symbol.for`, so that two copies of one major of the contract agree; a new major is another token. */
function tokenKey(name: string, version: string): symbol {
  return Symbol.for(`softnet:${name}@${version.split('.', 1)[0]}`);
}

/** The stand-in of a service that said nothing better: every property is a function that throws the refusal. */
function refuseEverything<T extends object>(refusal: Refusal): T {
  const refuse = (): never => {
    throw refusal();
  };
  // `then` must stay undefined: else an `await` of the stand-in would call it.
  return new Proxy({} as T, { get: (_target, property) => (property === 'then' ? undefined : refuse) });
}
