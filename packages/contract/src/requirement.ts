import type { PointToken, ServiceToken } from './token.ts';

/**
 * What a module needs of others. Loading resolves them; a module is never more alive than what it requires.
 * Ranges are semver ranges of the token's version, by default `^` of the token at hand: of the contract's own tokens, the host's.
 */
export interface Requirement {
  /** `one`: a provider must be live. `optional`: it may be. `some`: at least one live module contributes. */
  readonly need: 'one' | 'optional' | 'some';
  // biome-ignore lint/suspicious/noExplicitAny: requirements of every interface stand in one list
  readonly token: ServiceToken<any> | PointToken<any>;
  readonly range: string;
}

/** This service must be provided as long as the module lives. */
export function one<T extends object>(token: ServiceToken<T>, range = `^${token.version}`): Requirement {
  return Object.freeze({ need: 'one' as const, token, range });
}

/** This service is used while it is there; its going does not hold up, nor is it held up by, this module. */
export function optional<T extends object>(token: ServiceToken<T>, range = `^${token.version}`): Requirement {
  return Object.freeze({ need: 'optional' as const, token, range });
}

/** At least one live module must contribute here: tcp requires `some(NetworkLayer)`, to which ipv4 and ipv6 contribute. */
export function some<T extends object>(token: PointToken<T>, range = `^${token.version}`): Requirement {
  return Object.freeze({ need: 'some' as const, token, range });
}
