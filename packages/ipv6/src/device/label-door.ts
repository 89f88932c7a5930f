import type { AddressLabel, AddressLabels, Frozen, ModuleContext, Objects, Plain, Port, Route } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { LabelTable } from '../machine/label-table.ts';

/** Layout of what is handed over. */
const LAYOUT = 1;

/** The policy table where it is not RFC 6724's: the next generation has it. */
class ChangedLabels extends Held {
  readonly items: readonly AddressLabel[];

  constructor(items: readonly AddressLabel[]) {
    super();
    this.items = items;
  }
}

/** `ip addrlabel`: changes the policy table, and has sources chosen anew. */
export class LabelDoor implements AddressLabels {
  readonly #ctx: ModuleContext;
  readonly #table: LabelTable;
  readonly #route: Port<Route>;
  readonly #objects: Objects<ChangedLabels>;
  #changed: ChangedLabels | null = null;

  /** Declares what it has. */
  constructor(ctx: ModuleContext, table: LabelTable, route: Port<Route>) {
    this.#ctx = ctx;
    this.#table = table;
    this.#route = route;
    this.#objects = ctx.objects<ChangedLabels>('address-labels', {
      drain: 'park',
      close: (changed) => this.#objects.release(changed),
      describe: () => `${table.items.length} labels of addresses`,
      freeze: () => ({ version: LAYOUT, data: table.items as unknown as Plain }),
      thaws: [LAYOUT],
      thaw: ({ data }: Frozen) => new ChangedLabels(data as unknown as readonly AddressLabel[]),
      settle: (changed) => {
        this.#changed = changed;
        table.items = changed.items;
      },
      left: () => {},
    });
  }

  list(): readonly AddressLabel[] {
    return this.#table.items;
  }

  add(entry: AddressLabel): void {
    this.#table.add(entry);
    this.#changedNow();
  }

  remove(entry: Omit<AddressLabel, 'label'>): void {
    this.#table.remove(entry);
    this.#changedNow();
  }

  #changedNow(): void {
    if (this.#changed === null) {
      this.#changed = new ChangedLabels([]);
      this.#objects.hold(this.#changed, this.#ctx, 'ipv6.address-labels');
    }
    this.#route.current.changed();
  }
}
