import type { PointToken, ServiceToken } from '@softnet/contract';
import { ContributionCell } from './contribution-cell.ts';
import { PortCell } from './port-cell.ts';

/**
 * All cells of one kernel, by token. Whoever has a cell sees each change of it; a cell that nobody has any more goes, and
 * with it what its token brought along: the stand-in of a plugin's own service is the plugin's code.
 */
export class Switchboard {
  readonly #ports = new CellMap<PortCell<object>>();
  readonly #points = new CellMap<ContributionCell<object>>();
  readonly #debug: boolean;

  constructor(debug: boolean) {
    this.#debug = debug;
  }

  port<T extends object>(token: ServiceToken<T>): PortCell<T> {
    const any = token as unknown as ServiceToken<object>;
    return this.#ports.get(token.key, () => new PortCell(any, this.#debug)) as unknown as PortCell<T>;
  }

  contributions<T extends object>(point: PointToken<T>): ContributionCell<T> {
    return this.#points.get(point.key, () => new ContributionCell<object>(point)) as unknown as ContributionCell<T>;
  }
}

/** Cells by key, held weakly. */
class CellMap<C extends object> {
  readonly #cells = new Map<symbol, WeakRef<C>>();

  get(key: symbol, make: () => C): C {
    const known = this.#cells.get(key)?.deref();
    if (known !== undefined) return known;
    const cell = make();
    this.#sweep();
    this.#cells.set(key, new WeakRef(cell));
    return cell;
  }

  #sweep(): void {
    for (const [key, cell] of this.#cells) if (cell.deref() === undefined) this.#cells.delete(key);
  }
}
