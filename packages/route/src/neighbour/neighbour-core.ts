import type {
  AddressWords,
  Contributions,
  Counter,
  NeighbourProtocol,
  Neighbours,
  NeighbourTable,
  NetDevice,
  Objects,
  Owner,
  Timer,
} from '@softnet/contract';
import { DEVICE_FLAG, NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, Neighbour, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { NeighbourGarbage } from './neighbour-garbage.ts';
import { NeighbourHash } from './neighbour-hash.ts';
import type { NeighbourStatesParts } from './neighbour-states.ts';
import { NeighbourStates } from './neighbour-states.ts';
import { hasOneNeighbour, Protocols } from './protocols.ts';

const { FAILED, NOARP, NONE, PERMANENT } = NEIGHBOUR_STATE;

/** Links on which nobody is asked for: all go to the device itself, or to its other end. */
const UNASKED = DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.NOARP | DEVICE_FLAG.POINTOPOINT;

export interface NeighbourCoreHost extends Omit<NeighbourStatesParts, 'asking' | 'timer' | 'again'> {
  readonly protocols: Contributions<NeighbourProtocol>;
  readonly objects: Objects<Neighbour>;
  readonly owner: Owner;
  readonly seed: () => number;
  readonly timer: <A>(fire: (arg: A) => void, arg: A, place: string) => Timer;
  readonly collected: Counter;
}

interface FamilyTable {
  readonly hash: NeighbourHash;
  readonly garbage: NeighbourGarbage;
}

/** The tables of neighbours, by family: what ARP and ND share. */
export class NeighbourCore implements Neighbours, NeighbourTable {
  readonly #host: NeighbourCoreHost;
  readonly #states: NeighbourStates;
  readonly #protocols: Protocols;
  readonly #tables = new Map<number, FamilyTable>();
  #closed = false;

  constructor(host: NeighbourCoreHost) {
    this.#host = host;
    this.#protocols = new Protocols(host.protocols, host.current, host.reasons.gone);
    const { clock, traffic, current, settings, reasons } = host;
    this.#states = new NeighbourStates({
      ...{ clock, traffic, current, settings, reasons },
      asking: this.#protocols,
      timer: (neighbour) => host.timer((each: Neighbour) => this.#states.timeout(each), neighbour, 'neighbour.state'),
      again: ({ device, family, address0, address1, address2, address3 }) =>
        this.find(device, family, address0, address1, address2, address3),
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

  set(device: NetDevice, family: number, address: AddressWords, linkAddress: Uint8Array): void {
    const name = `${formatAddress(family, ...address)} on ${device.name}`;
    if (linkAddress.length !== device.addressLen) {
      const lengths = `${linkAddress.length} bytes, and those of ${device.name} have ${device.addressLen}`;
      throw new NetError('EINVAL', `the link address for ${name} has ${lengths}`, { syscall: 'neighbour' });
    }
    const neighbour = this.find(device, family, ...address);
    if (neighbour === null) {
      throw new NetError('ENOBUFS', `there is no neighbour ${name}: the device is down, the table full, or no module speaks the family`, {
        syscall: 'neighbour',
      });
    }
    this.#states.fix(neighbour, linkAddress);
  }

  remove(device: NetDevice, family: number, address: AddressWords): void {
    const neighbour = this.#tables.get(family)?.hash.find(device, ...address) ?? null;
    if (neighbour === null) {
      throw new NetError('ENOENT', `${device.name} has no neighbour ${formatAddress(family, ...address)}`, { syscall: 'neighbour' });
    }
    this.end(neighbour);
  }

  flush(device: NetDevice): void {
    this.#endAll((neighbour) => neighbour.device === device && neighbour.state !== PERMANENT);
  }

  addProxy(): void {
    throw new NetError('EOPNOTSUPP', 'this host answers for nobody else yet', { syscall: 'neighbour' });
  }

  removeProxy(): void {
    throw new NetError('ENOENT', 'this host answers for nobody else', { syscall: 'neighbour' });
  }

  isProxied(): boolean {
    return false;
  }

  proxies(): readonly never[] {
    return [];
  }

  /** The device goes down, or away: all of them go. */
  deviceGone(device: NetDevice): void {
    this.#endAll((neighbour) => neighbour.device === device);
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
    this.left(neighbour);
    if (neighbour.holdNext !== null) this.#host.objects.release(neighbour);
  }

  /** As `end`, for one that the next generation has. */
  left(neighbour: Neighbour): void {
    this.#tables.get(neighbour.family)?.hash.remove(neighbour);
    this.#states.end(neighbour);
  }

  /** One of the last generation, which nobody sees yet. */
  thawed(device: NetDevice): Neighbour {
    return new Neighbour(device, this.#states.begun);
  }

  /** And now they do. @param state as in {@link NeighbourStates.place}. */
  settle(neighbour: Neighbour, state: number): void {
    this.#tableOf(neighbour.family).hash.insert(neighbour);
    this.#states.place(neighbour, state);
    this.#tableOf(neighbour.family).garbage.grown();
  }

  /** The limits have changed. */
  resize(): void {
    for (const [family, { hash }] of this.#tables) hash.resize(this.#host.settings(family).limit);
  }

  close(): void {
    this.#closed = true;
    this.#endAll(() => true);
    for (const { garbage } of this.#tables.values()) garbage.close();
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
    this.#states.place(neighbour, state === NOARP ? NOARP : NONE);
    table.garbage.grown();
    return neighbour;
  }

  /** Point to point: to the other end; else to the device itself, as Linux's `arp_constructor` has it. */
  #beginUnasked({ device, linkAddress }: Neighbour): number {
    linkAddress.set((device.flags & DEVICE_FLAG.POINTOPOINT) !== 0 ? device.broadcast : device.address);
    return NOARP;
  }

  #tableOf(family: number): FamilyTable {
    let table = this.#tables.get(family);
    if (table === undefined) {
      const { clock, settings, timer, collected } = this.#host;
      const hash = new NeighbourHash(this.#host.seed() | 0, settings(family).limit);
      const remove = (neighbour: Neighbour): void => {
        collected.value++;
        this.end(neighbour);
      };
      const garbage = new NeighbourGarbage({
        ...{ clock, hash, remove },
        settings: settings(family),
        timer: (fire) => timer(fire, undefined, 'neighbour.garbage'),
      });
      table = { hash, garbage };
      this.#tables.set(family, table);
    }
    return table;
  }

  #endAll(which: (neighbour: Neighbour) => boolean): void {
    for (const { hash } of this.#tables.values()) for (const neighbour of [...hash]) if (which(neighbour)) this.end(neighbour);
  }
}
