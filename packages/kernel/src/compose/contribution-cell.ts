import type { Contributions, PointToken, Poll } from '@softnet/contract';

/** One contribution, as its generation published it. */
export interface Contribution<T extends object> {
  readonly item: T;
  readonly owner: number;
  visible: boolean;
}

/** The cell behind a point of contribution: the visible items as an immutable array, made anew at each change. */
export class ContributionCell<T extends object> implements Contributions<T> {
  readonly token: PointToken<T>;
  items: readonly T[] = [];
  owners: readonly number[] = [];
  #all: readonly Contribution<T>[] = [];
  #watchers: readonly Poll[] = [];

  constructor(token: PointToken<T>) {
    this.token = token;
  }

  publish(item: T, owner: number): Contribution<T> {
    const contribution: Contribution<T> = { item, owner, visible: true };
    this.#all = [...this.#all, contribution];
    this.#settle();
    return contribution;
  }

  show(contribution: Contribution<T>, visible: boolean): void {
    contribution.visible = visible;
    this.#settle();
  }

  retract(contribution: Contribution<T>): void {
    this.#all = this.#all.filter((other) => other !== contribution);
    this.#settle();
  }

  /** Raises the poll at each change from now on. Returns how to end that. */
  watch(poll: Poll): () => void {
    this.#watchers = [...this.#watchers, poll];
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== poll);
    };
  }

  #settle(): void {
    const visible = this.#all.filter((contribution) => contribution.visible);
    // Not frozen: V8 walks a frozen array four times slower (measured: docs/performance.md).
    this.items = visible.map((contribution) => contribution.item);
    this.owners = visible.map((contribution) => contribution.owner);
    for (const poll of this.#watchers) poll.raise();
  }
}
