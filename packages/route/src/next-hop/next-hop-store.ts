import type { Change, Clock, NextHop, NextHopObject, NextHops, ResilientGroup, RouteEntry, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError } from '@softnet/contract';
import type { HopSpec } from '../hop.ts';
import type { RouteInfo, Shares } from '../route-info.ts';
import type { RouteListeners } from '../route-listeners.ts';
import { checkChange, checkObject, refuse } from './next-hop-checks.ts';
import { NextHopNode } from './next-hop-node.ts';
import { ResilientBuckets } from './resilient-buckets.ts';

export interface NextHopStoreParts {
  readonly clock: Clock;
  readonly listeners: RouteListeners;
  readonly timer: (fire: () => void, place: string) => Timer;
  /** The hop with its device found, its gateway checked. @throws NetError. */
  readonly checkHop: (object: NextHopObject, hop: NextHop, trusted: boolean) => NextHop;
  /** What a hop of the object is to routes like this. @throws NetError. */
  readonly specsOf: (info: RouteInfo, hops: readonly NextHop[]) => HopSpec[];
  readonly rebind: (info: RouteInfo, specs: readonly HopSpec[], shares: Shares) => void;
  /** Takes out all routes of these infos. Returns them. */
  readonly dropRoutes: (infos: ReadonlySet<RouteInfo>) => readonly RouteEntry[];
  /** Lookups may answer otherwise now. */
  readonly changed: () => void;
}

/** Whose the buckets of a resilient group are, by bucket. */
export interface FrozenBuckets {
  readonly id: number;
  readonly owners: readonly number[];
}

/** Next-hop objects and groups: `NextHops`, and lists of them. */
export class NextHopStore implements NextHops {
  readonly #parts: NextHopStoreParts;
  readonly #nodes = new Map<number, NextHopNode>();
  readonly #timers = new Map<NextHopNode, Timer>();
  /** By group, while it is thawed. */
  readonly #owners = new Map<number, readonly number[]>();

  constructor(parts: NextHopStoreParts) {
    this.#parts = parts;
  }

  add(object: NextHopObject): void {
    if (this.#nodes.has(object.id)) {
      throw new NetError('EEXIST', `there is a next hop ${object.id} already: replace changes it`, { syscall: 'nexthop' });
    }
    this.#make(this.#check(object, false));
    this.#tell('add', object.id);
  }

  replace(object: NextHopObject): void {
    const node = this.#nodes.get(object.id);
    if (node === undefined) {
      this.add(object);
      return;
    }
    const checked = this.#check(object, false);
    checkChange(node, checked, ADDRESS_FAMILY.INET6);
    const inet6 = [...node.infos].some(({ family }) => family === ADDRESS_FAMILY.INET6);
    const serves = checked.group?.every(({ id }) => this.#nodes.get(id)!.serves(ADDRESS_FAMILY.INET6, ADDRESS_FAMILY.INET6)) ?? true;
    if (inet6 && !serves) throw refuse(object.id, 'IPv6 routes use it');
    this.#change(node, checked);
    this.#parts.changed();
    this.#tell('replace', object.id);
  }

  remove(id: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new NetError('ENOENT', `there is no next hop ${id}`, { syscall: 'nexthop' });
    this.#parts.listeners.several(this.#remove([node]));
  }

  entries(): readonly NextHopObject[] {
    return [...this.#nodes.values()].map(({ object }) => object).sort((a, b) => a.id - b.id);
  }

  /** What the route of an object or group goes by. @throws NetError EINVAL. */
  hopsFor(id: number, family: number): readonly NextHop[] {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new NetError('EINVAL', `there is no next hop ${id} for the route to use`, { syscall: 'route' });
    if (!node.serves(family, ADDRESS_FAMILY.INET6)) throw refuse(id, 'IPv6 routes go by IPv6 next hops');
    return node.hops;
  }

  sharesOf(id: number): Shares {
    return this.#nodes.get(id)!.shares;
  }

  bind(info: RouteInfo): void {
    this.#nodes.get(info.nextHopId)!.infos.add(info);
  }

  unbind(info: RouteInfo): void {
    this.#nodes.get(info.nextHopId)?.infos.delete(info);
  }

  /** The device has gone for good: so do its next hops, with all that uses them. Returns what listeners are to be told. */
  dropGone(ifindex: number): (() => void)[] {
    const gone = [...this.#nodes.values()].filter(({ object }) => object.hop?.ifindex === ifindex);
    return gone.length === 0 ? [] : this.#remove(gone);
  }

  /** By resilient group: whose its buckets are. */
  get buckets(): readonly FrozenBuckets[] {
    return [...this.#nodes.values()].flatMap(({ id, buckets }) => (buckets === null ? [] : { id, owners: buckets.owners }));
  }

  /** Objects of the last generation, checked when they were added; groups behind their members. */
  restore(objects: readonly NextHopObject[], buckets: readonly FrozenBuckets[]): void {
    for (const { id, owners } of buckets) this.#owners.set(id, owners);
    for (const object of [...objects].sort((a, b) => Number(a.group !== undefined) - Number(b.group !== undefined))) {
      this.#make(this.#check(object, true));
    }
    this.#owners.clear();
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #check(object: NextHopObject, trusted: boolean): NextHopObject {
    const checked = checkObject(object, this.#nodes);
    return checked.hop === undefined ? checked : { ...checked, hop: this.#parts.checkHop(checked, checked.hop, trusted) };
  }

  #make(object: NextHopObject): void {
    const node = new NextHopNode(object);
    this.#nodes.set(object.id, node);
    this.#change(node, object);
  }

  /** The node is as the object says now, and so are the routes of it and of its groups. */
  #change(node: NextHopNode, object: NextHopObject): void {
    for (const member of node.members) member.groups.delete(node);
    node.object = object;
    node.members = object.group?.map(({ id }) => this.#nodes.get(id)!) ?? [];
    for (const member of node.members) member.groups.add(node);
    if (object.resilient !== undefined) this.#fillBuckets(node);
    this.#rebind(node);
    for (const group of node.groups) this.#rebind(group);
  }

  #rebind(node: NextHopNode): void {
    const { infos, hops, shares } = node;
    for (const info of infos) this.#parts.rebind(info, this.#parts.specsOf(info, hops), shares);
  }

  #fillBuckets(node: NextHopNode): void {
    const { resilient, group } = node.object;
    const { buckets: count, idleMs, unbalancedMs } = resilient as Required<ResilientGroup>;
    const { clock, changed } = this.#parts;
    if (node.buckets === null) {
      const timer = this.#parts.timer(() => {
        if (node.buckets!.balance()) changed();
      }, 'route.resilient-group');
      this.#timers.set(node, timer);
      node.buckets = new ResilientBuckets({
        ...{ count, idleMs, clock, owners: this.#owners.get(node.id) },
        wake: (delayMs) => timer.arm(delayMs * 1000),
      });
    }
    Object.assign(node.buckets, { idleMs, unbalancedMs });
    this.#timers.get(node)!.cancel();
    node.buckets.change(group!.map(({ id, weight = 1 }) => ({ id, weight })));
  }

  /** Groups lose them first, and go with their last. Returns what listeners are to be told. */
  #remove(nodes: readonly NextHopNode[]): (() => void)[] {
    const gone = new Set(nodes);
    const told: [Change, NextHopObject][] = [];
    for (const group of new Set(nodes.flatMap((node) => [...node.groups]))) {
      const left = group.object.group!.filter(({ id }) => !gone.has(this.#nodes.get(id)!));
      if (left.length === 0) gone.add(group);
      else {
        this.#change(group, { ...group.object, group: left });
        told.push(['replace', group.object]);
      }
    }
    const routes = this.#parts.dropRoutes(new Set([...gone].flatMap(({ infos }) => [...infos])));
    for (const node of gone) {
      this.#nodes.delete(node.id);
      for (const member of node.members) member.groups.delete(node);
      this.#timers.get(node)?.cancel();
      this.#timers.delete(node);
      told.push(['remove', node.object]);
    }
    this.#parts.changed();
    const { listeners } = this.#parts;
    return [
      ...routes.map((entry) => () => listeners.route('remove', entry)),
      ...told.map(
        ([change, object]) =>
          () =>
            listeners.nextHop(change, object),
      ),
    ];
  }

  #tell(change: Change, id: number): void {
    this.#parts.listeners.nextHop(change, this.#nodes.get(id)!.object);
  }
}
