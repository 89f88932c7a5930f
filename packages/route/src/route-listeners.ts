import type { Change, Contributions, CurrentOwner, NextHopObject, RouteEntry, RouteListener, RoutingRule } from '@softnet/contract';

/** Tells the control plane what has changed, when it is published. Linux's fib notifier. */
export class RouteListeners {
  readonly #listeners: Contributions<RouteListener>;
  readonly #current: CurrentOwner;

  constructor(listeners: Contributions<RouteListener>, current: CurrentOwner) {
    this.#listeners = listeners;
    this.#current = current;
  }

  /** Whether anybody listens: else nothing needs to be said. */
  get heard(): boolean {
    return this.#listeners.items.length > 0;
  }

  route(change: Change, entry: RouteEntry): void {
    this.#tell((listener) => listener.routeChanged(change, entry));
  }

  rule(change: Change, rule: RoutingRule): void {
    this.#tell((listener) => listener.ruleChanged(change, rule));
  }

  nextHop(change: Change, object: NextHopObject): void {
    this.#tell((listener) => listener.nextHopChanged(change, object));
  }

  /** Says several things, in order; what the first of them threw is thrown when all are said. */
  several(says: Iterable<() => void>): void {
    let failure: unknown;
    let failed = false;
    for (const say of says) {
      try {
        say();
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
    if (failed) throw failure;
  }

  /** One that throws keeps none from hearing; what the first one threw is thrown when all have heard, as its own. */
  #tell(say: (listener: RouteListener) => void): void {
    const { items, owners } = this.#listeners;
    const caller = this.#current.id;
    let failed = -1;
    let failure: unknown;
    for (const [index, listener] of items.entries()) {
      this.#current.id = owners[index]!;
      try {
        say(listener);
      } catch (error) {
        if (failed < 0) [failed, failure] = [index, error];
      }
    }
    this.#current.id = failed < 0 ? caller : owners[failed]!;
    if (failed >= 0) throw failure;
  }
}
