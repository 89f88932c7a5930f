import type { Port, ServiceToken } from '@softnet/contract';
import { ModuleFault, NetError } from '@softnet/contract';

/** One provider of a service, as its generation published it. */
export interface Offer<T extends object> {
  readonly provider: T;
  /** `name#generation`. */
  readonly module: string;
  readonly owner: number;
  /** False while the doors are shut. */
  visible: boolean;
}

/** The cell behind a port: the newest visible provider, or the stand-in. */
export class PortCell<T extends object> implements Port<T> {
  readonly token: ServiceToken<T>;
  current: T;
  present = false;
  owner = 0;
  readonly #debug: boolean;
  readonly #absent: T;
  #offers: readonly Offer<T>[] = [];

  constructor(token: ServiceToken<T>, debug: boolean) {
    this.token = token;
    this.#debug = debug;
    this.#absent = token.absent(() => this.#refusal());
    this.current = this.#absent;
    if (token.methods !== undefined) this.current = fixedRecord(token.methods, this.#absent);
  }

  /** Adds a provider and makes it the current one. */
  publish(provider: T, module: string, owner: number): Offer<T> {
    const offer: Offer<T> = {
      provider: this.#debug ? guarded(provider, this.token.name, module, () => this.#offers.includes(offer)) : provider,
      module,
      owner,
      visible: true,
    };
    this.#offers = [...this.#offers, offer];
    this.#settle();
    return offer;
  }

  show(offer: Offer<T>, visible: boolean): void {
    offer.visible = visible;
    this.#settle();
  }

  retract(offer: Offer<T>): void {
    this.#offers = this.#offers.filter((other) => other !== offer);
    this.#settle();
  }

  #settle(): void {
    const offer = this.#offers.findLast((candidate) => candidate.visible);
    const provider = offer?.provider ?? this.#absent;
    this.present = offer !== undefined;
    this.owner = offer?.owner ?? 0;
    if (this.token.methods === undefined) this.current = provider;
    else refill(this.current, this.token.methods, provider);
  }

  /** Why there is no provider now: names the one that leaves, if any. */
  #refusal(): NetError {
    const { name, errno } = this.token;
    const leaving = this.#offers.at(-1);
    if (leaving === undefined) return new NetError(errno, `no module provides ${name} now: load one`);
    return new NetError(errno, `${leaving.module} is leaving, so ${name} takes nobody new: wait for its next load`, {
      module: leaving.module,
    });
  }
}

type Functions = Record<string, (...args: unknown[]) => unknown>;

/** A record of functions whose shape never changes, whoever provides them. */
function fixedRecord<T extends object>(methods: readonly (keyof T & string)[], from: T): T {
  const record: Functions = {};
  for (const method of methods) record[method] = () => undefined;
  refill(record as T, methods, from);
  return record as T;
}

function refill<T extends object>(record: T, methods: readonly (keyof T & string)[], from: T): void {
  for (const method of methods) (record as Functions)[method] = (from as Functions)[method]!.bind(from);
}

/** Debug kernels: a provider that was kept from a port and is used after its module is gone says so at the culprit. */
function guarded<T extends object>(provider: T, token: string, module: string, alive: () => boolean): T {
  // Over an empty object: a frozen provider would not let its functions be bound.
  return new Proxy({} as T, {
    get(_empty, property) {
      if (!alive()) {
        throw new ModuleFault(module, `is gone, but its ${token} is still used (${String(property)}): read port.current at each use`);
      }
      const value: unknown = Reflect.get(provider, property, provider);
      return typeof value === 'function' ? value.bind(provider) : value;
    },
  });
}
