import type { PointToken, ServiceToken } from '@softnet/contract';
import type { Switchboard } from '../compose/switchboard.ts';

/** A way in for somebody new, or a way for those inside. */
export type Side = 'door' | 'corridor';

interface Publication {
  /** The token's name. */
  readonly name: string;
  readonly side: Side;
  /** Makes it visible; returns how to hide it, show it again, and take it back. */
  publish(): Published;
  published: Published | null;
}

interface Published {
  show(visible: boolean): void;
  retract(): void;
}

/**
 * All that one generation published. Staged until the module's start is over, then committed in one tick; recorded, so
 * that taking it back needs no code of the module's own.
 */
export class Publications {
  readonly #board: Switchboard;
  readonly #module: string;
  readonly #owner: number;
  #all: Publication[] = [];
  #committed = false;

  constructor(board: Switchboard, module: string, owner: number) {
    this.#board = board;
    this.#module = module;
    this.#owner = owner;
  }

  get count(): number {
    return this.#all.length;
  }

  /** Names of what stands at one side, for reports. */
  names(side: Side): string[] {
    return this.#all.filter((publication) => publication.side === side).map((publication) => publication.name);
  }

  service<T extends object>(token: ServiceToken<T>, provider: T, side: Side): void {
    this.#add(token.name, side, () => {
      const cell = this.#board.port(token);
      const offer = cell.publish(provider, this.#module, this.#owner);
      return { show: (visible) => cell.show(offer, visible), retract: () => cell.retract(offer) };
    });
  }

  contribution<T extends object>(point: PointToken<T>, item: T, side: Side): void {
    this.#add(point.name, side, () => {
      const cell = this.#board.contributions(point);
      const contribution = cell.publish(item, this.#owner);
      return { show: (visible) => cell.show(contribution, visible), retract: () => cell.retract(contribution) };
    });
  }

  /** Start is over: everybody sees all of it, from one moment on. */
  commit(): void {
    this.#committed = true;
    for (const publication of this.#all) publication.published = publication.publish();
  }

  /** Stage 1 shuts the doors; an abort opens them again. */
  showDoors(visible: boolean): void {
    for (const { side, published } of this.#all) if (side === 'door') published?.show(visible);
  }

  /** Everything, doors and corridors, for ever. */
  retract(): void {
    for (const publication of this.#all) publication.published?.retract();
    this.#all = [];
  }

  #add(name: string, side: Side, publish: () => Published): void {
    const publication: Publication = { name, side, publish, published: null };
    this.#all.push(publication);
    if (this.#committed) publication.published = publish();
  }
}
