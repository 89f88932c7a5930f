import { NetError } from '@softnet/contract';
import { MAX_VALUE } from './prefixes/slots.ts';
import { isSame, RouteAlias } from './route-alias.ts';

/** The aliases of a table, one of each kind, by number: a million prefixes that go a hundred ways have a hundred. */
export class RouteAliases {
  /** By number; 0 is none. */
  readonly byId: (RouteAlias | null)[] = [null];
  readonly #byHash = new Map<number, RouteAlias>();
  readonly #free: number[] = [];
  readonly #most: number;

  /** @param most how many there may be. */
  constructor(most: number = MAX_VALUE) {
    this.#most = most;
  }

  /** How many there are. */
  get count(): number {
    return this.byId.length - 1 - this.#free.length;
  }

  /** The one like this, which has one more user. @throws NetError ENOBUFS. */
  take(alias: RouteAlias): RouteAlias {
    const unknown: RouteAlias[] = [];
    let own: RouteAlias | null = alias;
    for (; own !== null && !this.#has(own); own = own.next) unknown.push(own);
    if (own !== null) own.users++;
    for (const each of unknown.reverse()) {
      own = this.#intern(each, own);
      own.users++;
    }
    return own!;
  }

  /** It has one user less. */
  give(alias: RouteAlias): void {
    for (let at: RouteAlias | null = alias; at !== null && --at.users === 0; at = at.next) {
      this.#unlink(at);
      this.byId[at.id] = null;
      this.#free.push(at.id);
      at.id = 0;
    }
  }

  #has(alias: RouteAlias): boolean {
    return alias.id !== 0 && this.byId[alias.id] === alias;
  }

  /** The one like this. @param next what comes behind, its user so far the caller. */
  #intern(alias: RouteAlias, next: RouteAlias | null): RouteAlias {
    const hash = hashOf(alias, next);
    for (let other = this.#byHash.get(hash) ?? null; other !== null; other = other.sibling) {
      if (other.next !== next || !isSame(other, alias)) continue;
      if (next !== null) this.give(next);
      return other;
    }
    if (this.count >= this.#most) {
      if (next !== null) this.give(next);
      throw new NetError('ENOBUFS', `a table has at most ${this.#most} ways to treat a prefix`, { syscall: 'route' });
    }
    const id = this.#free.pop() ?? this.byId.length;
    const own = alias.id === 0 && next === alias.next ? alias : new RouteAlias(alias.info, alias, next);
    own.id = id;
    own.sibling = this.#byHash.get(hash) ?? null;
    this.byId[id] = own;
    this.#byHash.set(hash, own);
    return own;
  }

  #unlink(alias: RouteAlias): void {
    const hash = hashOf(alias, alias.next);
    const first = this.#byHash.get(hash)!;
    if (first === alias) {
      if (alias.sibling === null) this.#byHash.delete(hash);
      else this.#byHash.set(hash, alias.sibling);
    } else {
      let at = first;
      while (at.sibling !== alias) at = at.sibling!;
      at.sibling = alias.sibling;
    }
    alias.sibling = null;
  }
}

function hashOf({ info, tos, priority, preference, expiresMs }: RouteAlias, next: RouteAlias | null): number {
  let hash = Math.imul(info.serial, 0x9e3779b1) ^ (next === null ? 0 : next.id);
  hash = Math.imul(hash ^ (hash >>> 15) ^ priority, 0x85ebca6b);
  return Math.imul(hash ^ (hash >>> 13) ^ (expiresMs ?? 0), 0xc2b2ae35) ^ tos ^ preference;
}
