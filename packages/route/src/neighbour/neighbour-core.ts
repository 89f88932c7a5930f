import type {
  AddressWords,
  Contributions,
  Counter,
  DropReason,
  Frozen,
  NeighbourListener,
  NeighbourProtocol,
  Neighbours,
  NeighbourTable,
  NetDevice,
  Objects,
  Owner,
  ProxyEntry,
  Random,
  Timer,
} from '@softnet/contract';
import { DEVICE_FLAG, NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, Neighbour, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { FamilyTable } from './family-table.ts';
import type { Thawed } from './frozen-neighbour.ts';
import { deviceOf, freezeNeighbour, thawNeighbour } from './frozen-neighbour.ts';
import { Gateways } from './gateways.ts';
import { NeighbourNews } from './neighbour-news.ts';
import type { NeighbourProxies } from './neighbour-proxies.ts';
import type { NeighbourConfName, NeighbourSettings } from './neighbour-settings.ts';
import type { NeighbourStatesParts } from './neighbour-states.ts';
import { NeighbourStates } from './neighbour-states.ts';
import { hasOneNeighbour, Protocols } from './protocols.ts';

const { FAILED, NOARP, NONE, PERMANENT, REACHABLE, STALE } = NEIGHBOUR_STATE;

/** What may be set by hand. */
const BY_HAND = PERMANENT | NOARP | REACHABLE | STALE;

/** Links on which nobody is asked for: all go to the device itself, or to its other end. */
const UNASKED = DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.NOARP | DEVICE_FLAG.POINTOPOINT;

export interface NeighbourCoreHost extends Pick<NeighbourStatesParts, 'clock' | 'traffic' | 'current'> {
  readonly protocols: Contributions<NeighbourProtocol>;
  readonly listeners: Contributions<NeighbourListener>;
  /** Has {@link NeighbourCore.rethrow} called soon. */
  readonly listenerFailed: () => void;
  readonly objects: Objects<Neighbour>;
  readonly proxies: NeighbourProxies;
  readonly owner: Owner;
  readonly settings: (family: number) => NeighbourSettings;
  readonly random: Pick<Random, 'u32' | 'fraction'>;
  readonly timer: <A>(fire: (arg: A) => void, arg: A, place: string) => Timer;
  /** Who serves neighbours now: this core, or that of the next generation. */
  readonly present: () => Neighbours;
  readonly collected: Counter;
  /** How many were looked at to collect some. */
  readonly visited: Counter;
  readonly reasons: NeighbourStatesParts['reasons'] & { readonly queueFull: DropReason; readonly gone: DropReason };
}

/** The tables of neighbours, by family: what ARP and ND share. */
export class NeighbourCore implements Neighbours, NeighbourTable {
  readonly #host: NeighbourCoreHost;
  readonly #states: NeighbourStates;
  readonly #protocols: Protocols;
  readonly #news: NeighbourNews;
  readonly #gateways = new Gateways();
  readonly #tables = new Map<number, FamilyTable>();
  /** Neighbours of the last generation, until they settle. */
  readonly #thawed = new WeakMap<Neighbour, Thawed>();
  /** The next generation has them, but not yet what waits for them. */
  readonly #left: Neighbour[] = [];
  #closed = false;

  constructor(host: NeighbourCoreHost) {
    const { clock, traffic, current, reasons } = host;
    const setting = ({ family, device }: Neighbour, name: NeighbourConfName): number => host.settings(family).value(device.ifindex, name);
    this.#host = host;
    this.#news = new NeighbourNews(host.listeners, current, host.listenerFailed);
    this.#protocols = new Protocols({
      ...{ protocols: host.protocols, current, gone: reasons.gone, setting },
      times: (family) => this.#tableOf(family).times,
    });
    this.#states = new NeighbourStates({
      ...{ clock, traffic, current, setting, reasons, asking: this.#protocols },
      waiting: (family) => this.#tableOf(family).waiting,
      changed: (neighbour) => {
        this.#tableOf(neighbour.family).lines.place(neighbour);
        this.#news.tell('replace', neighbour);
      },
      waited: (neighbour) => this.#tableOf(neighbour.family).lines.place(neighbour),
      timer: (neighbour) => host.timer((each: Neighbour) => this.#states.timeout(each), neighbour, 'neighbour.state'),
      again: ({ device, family, address0, address1, address2, address3 }) =>
        host.present().find(device, family, address0, address1, address2, address3),
    });
  }

  find(device: NetDevice, family: number, address0: number, address1: number, address2: number, address3: number): Neighbour | null {
    if (this.#protocols.changed) this.look();
    const hash = this.#tables.get(family)?.hash;
    const one = hasOneNeighbour(device, UNASKED);
    const found = one ? hash?.find(device, 0, 0, 0, 0) : hash?.find(device, address0, address1, address2, address3);
    if (found) return found;
    return one ? this.#make(device, family, 0, 0, 0, 0) : this.#make(device, family, address0, address1, address2, address3);
  }

  learn(
    device: NetDevice,
    family: number,
    address0: number,
    address1: number,
    address2: number,
    address3: number,
    bytes: Uint8Array,
    offset: number,
    bits: number,
  ): boolean {
    if (this.#protocols.changed) this.look();
    if (hasOneNeighbour(device, UNASKED)) return false;
    let neighbour = this.#tables.get(family)?.hash.find(device, address0, address1, address2, address3) ?? null;
    if (offset < 0) return neighbour !== null && this.#states.heardWithout(neighbour, bits);
    if (neighbour === null && (bits & NEIGHBOUR_UPDATE.CREATE) !== 0) {
      neighbour = this.#make(device, family, address0, address1, address2, address3);
    }
    if (neighbour === null) return false;
    this.#states.heard(neighbour, bytes, offset, bits);
    return true;
  }

  confirm(neighbour: Neighbour): void {
    this.#states.confirm(neighbour);
  }

  entries(family: number): readonly Neighbour[] {
    const table = this.#tables.get(family);
    return table === undefined ? [] : [...table.hash];
  }

  set(
    device: NetDevice,
    family: number,
    address: AddressWords,
    linkAddress: Uint8Array,
    state: number = PERMANENT,
    isRouter: boolean = false,
  ): void {
    const name = `${formatAddress(family, ...address)} on ${device.name}`;
    if (linkAddress.length !== device.addressLen) {
      const lengths = `${linkAddress.length} bytes, and those of ${device.name} have ${device.addressLen}`;
      throw fault('EINVAL', `the link address for ${name} has ${lengths}`);
    }
    if ((state & BY_HAND) === 0 || (state & (state - 1)) !== 0) {
      throw fault('EINVAL', `${name} cannot be set to state ${state}: permanent, noarp, reachable and stale can`);
    }
    const neighbour = this.find(device, family, ...address);
    if (neighbour === null) {
      throw fault('ENOBUFS', `there is no neighbour ${name}: the device is down, the table full, or no module speaks the family`);
    }
    neighbour.isRouter = isRouter;
    this.#states.fix(neighbour, linkAddress, state);
  }

  remove(device: NetDevice, family: number, address: AddressWords): void {
    const neighbour = this.#tables.get(family)?.hash.find(device, ...address) ?? null;
    if (neighbour === null) {
      throw fault('ENOENT', `${device.name} has no neighbour ${formatAddress(family, ...address)}`);
    }
    if (neighbour.queue.lenPackets > 0) this.#states.fail(neighbour);
    this.end(neighbour);
  }

  flush(device: NetDevice): void {
    this.#endAll((neighbour) => neighbour.device === device && neighbour.state !== PERMANENT);
  }

  addProxy(device: NetDevice | null, family: number, address: AddressWords): void {
    this.#host.proxies.add(device, family, address);
  }

  removeProxy(device: NetDevice | null, family: number, address: AddressWords): void {
    this.#host.proxies.remove(device, family, address);
  }

  isProxied(device: NetDevice, family: number, address0: number, address1: number, address2: number, address3: number): boolean {
    return this.#host.proxies.has(device, family, address0, address1, address2, address3);
  }

  proxies(family: number): readonly ProxyEntry[] {
    return [...this.#host.proxies].filter((proxy) => proxy.family === family);
  }

  /** A next hop leads by this address from now on: it is not collected. */
  hopBegins(device: NetDevice, family: number, address: AddressWords): void {
    this.#countHops(device, family, address, this.#gateways.add(device, family, address));
  }

  /** And does not any more. */
  hopEnds(device: NetDevice, family: number, address: AddressWords): void {
    this.#countHops(device, family, address, this.#gateways.remove(device, family, address));
  }

  /** The device goes down, or away: all of them go. */
  deviceGone(device: NetDevice): void {
    this.#endAll((neighbour) => neighbour.device === device);
    for (const { lines, times } of this.#tables.values()) {
      lines.forget(device.ifindex);
      times.forget(device.ifindex);
    }
    this.#host.proxies.deviceGone(device);
  }

  /** The link is there, perhaps again. */
  linkUp(device: NetDevice): void {
    for (const { hash } of this.#tables.values()) {
      for (const neighbour of [...hash]) if (neighbour.device === device) this.#states.askAgain(neighbour);
    }
  }

  /** Its flags have changed: where hosts were asked for, one neighbour stands for all now, or the other way round. */
  flagsChanged(device: NetDevice): void {
    const one = hasOneNeighbour(device, UNASKED);
    this.#endAll((neighbour) => neighbour.device === device && standsForAll(neighbour) !== one);
  }

  /** Protocols that have gone: their neighbours go. One that was replaced leaves nothing of its own on them. */
  look(): void {
    if (!this.#protocols.changed) return;
    for (const family of this.#protocols.look()) {
      if (this.#protocols.knows(family)) for (const neighbour of this.entries(family)) neighbour.ext = null;
      else this.#endAll((neighbour) => neighbour.family === family);
    }
  }

  /** Takes it out of its table; what waits is dropped. */
  end(neighbour: Neighbour): void {
    const { hash, lines, waiting } = this.#tableOf(neighbour.family);
    hash.remove(neighbour);
    lines.remove(neighbour);
    this.#news.tell('remove', neighbour);
    this.#states.end(neighbour);
    waiting.drop(neighbour, this.#host.reasons.gone);
    if (neighbour.holdNext !== null) this.#host.objects.release(neighbour);
  }

  freeze(neighbour: Neighbour): Frozen {
    return freezeNeighbour(neighbour, this.#host.clock);
  }

  /** One of the last generation, which nobody sees yet. @throws NetError ENODEV. */
  thaw(frozen: Frozen): Neighbour {
    const { clock, traffic } = this.#host;
    const make = (ifindex: number): Neighbour => new Neighbour(deviceOf(traffic.current, ifindex), this.#states.begun);
    const thawed = thawNeighbour(frozen, clock.nowMs, make);
    this.#thawed.set(thawed.neighbour, thawed);
    return thawed.neighbour;
  }

  /** And now they do. */
  settle(neighbour: Neighbour): void {
    const { hash, lines, garbage } = this.#tableOf(neighbour.family);
    hash.insert(neighbour);
    neighbour.gatewayOf = this.#gateways.hopsBy(neighbour);
    const thawed = this.#thawed.get(neighbour);
    lines.place(neighbour, thawed?.isUnproven === true);
    this.#states.resume(neighbour, neighbour.state, thawed?.leftUs ?? -1);
    garbage.grown();
  }

  /** The next generation has it; it gets what waits when this one closes. */
  left(neighbour: Neighbour): void {
    const { hash, lines } = this.#tableOf(neighbour.family);
    hash.remove(neighbour);
    lines.remove(neighbour);
    this.#states.end(neighbour);
    if (neighbour.queue.lenPackets > 0) this.#left.push(neighbour);
  }

  /** An address that is answered for came or went. */
  tellProxy(change: 'add' | 'remove', proxy: ProxyEntry): void {
    this.#news.tellProxy(change, proxy);
  }

  /** Throws what a listener threw, as its own. */
  rethrow(): void {
    this.#news.rethrow();
  }

  /** The limits have changed. */
  resize(): void {
    for (const { hash, settings } of this.#tables.values()) hash.resize(settings.limit);
  }

  close(): void {
    this.#closed = true;
    for (const neighbour of this.#left.splice(0)) this.#passOn(neighbour);
    this.#endAll(() => true);
    for (const { garbage } of this.#tables.values()) garbage.close();
    this.#host.proxies.close();
  }

  #make(device: NetDevice, family: number, word0: number, word1: number, word2: number, word3: number): Neighbour | null {
    const unasked = hasOneNeighbour(device, UNASKED);
    if (this.#closed || (device.flags & DEVICE_FLAG.UP) === 0 || !(unasked || this.#protocols.knows(family))) return null;
    const table = this.#tableOf(family);
    if (!table.garbage.admit()) {
      this.#host.reasons.tableFull.count++;
      return null;
    }
    const neighbour = new Neighbour(device, this.#states.begun);
    neighbour.family = family;
    neighbour.address0 = word0;
    neighbour.address1 = word1;
    neighbour.address2 = word2;
    neighbour.address3 = word3;
    neighbour.usedMs = this.#host.clock.nowMs;
    const state = unasked ? this.#beginUnasked(neighbour) : this.#protocols.begin(neighbour);
    if (state === FAILED) return null;
    table.hash.insert(neighbour);
    this.#host.objects.hold(neighbour, this.#host.owner, 'neighbour.find');
    neighbour.gatewayOf = this.#gateways.hopsBy(neighbour);
    this.#states.place(neighbour, state === NOARP ? NOARP : NONE);
    table.lines.place(neighbour);
    this.#news.tell('add', neighbour);
    table.garbage.grown();
    return neighbour;
  }

  /** Point to point: to the other end; else to the device itself, as Linux's `arp_constructor` has it. */
  #beginUnasked({ device, linkAddress }: Neighbour): number {
    linkAddress.set((device.flags & DEVICE_FLAG.POINTOPOINT) !== 0 ? device.broadcast : device.address);
    return NOARP;
  }

  #tableOf(family: number): FamilyTable {
    return this.#tables.get(family) ?? this.#makeTable(family);
  }

  /** Apart: where closures see a variable, each call makes a context for it. */
  #makeTable(family: number): FamilyTable {
    const { clock, random, settings, timer, collected, visited, reasons } = this.#host;
    const table: FamilyTable = new FamilyTable({
      ...{ clock, random, visited, queueFull: reasons.queueFull, settings: settings(family) },
      timer: (fire) => timer(fire, undefined, 'neighbour.garbage'),
      remove: (neighbour) => {
        collected.value++;
        table.waiting.drop(neighbour, reasons.tableFull);
        this.end(neighbour);
      },
    });
    this.#tables.set(family, table);
    return table;
  }

  #countHops(device: NetDevice, family: number, address: AddressWords, hops: number): void {
    const table = this.#tables.get(family);
    const neighbour = table?.hash.find(device, ...address) ?? null;
    if (neighbour === null) return;
    neighbour.gatewayOf = hops;
    table?.lines.place(neighbour);
  }

  /** In order, to the neighbour in its place. */
  #passOn(dead: Neighbour): void {
    const { waiting } = this.#tableOf(dead.family);
    for (let skb = waiting.take(dead); skb !== null; skb = waiting.take(dead)) dead.output(dead, skb);
  }

  #endAll(which: (neighbour: Neighbour) => boolean): void {
    for (const { hash } of this.#tables.values()) for (const neighbour of [...hash]) if (which(neighbour)) this.end(neighbour);
  }
}

/** It has no address of its own. */
function standsForAll({ address0, address1, address2, address3 }: Neighbour): boolean {
  return (address0 | address1 | address2 | address3) === 0;
}

function fault(code: 'EINVAL' | 'ENOBUFS' | 'ENOENT', text: string): NetError {
  return new NetError(code, text, { syscall: 'neighbour' });
}
