import type * as contract from '@softnet/contract';
import type {
  AddressOptions,
  AddressWords,
  Clock,
  DeviceListener,
  Frozen,
  NetDevice,
  NetworkLayer,
  ObjectSpec,
  Objects,
  Owner,
  Port,
} from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, DEVICE_EVENT, InterfaceAddress, IPV4_WORD2, NetError } from '@softnet/contract';
import type { AddressLives } from '@softnet/inet';
import { formatIpv4 } from '@softnet/wire';
import type { AddressClaims } from '../acd/address-claims.ts';
import { DEFENCE } from '../acd/conflict-detection.ts';
import type { Ipv4Conf } from '../conf.ts';
import type { LinkLocalDevices } from '../link-local/link-local-devices.ts';
import type { AddressBook } from '../machine/address-book.ts';
import { isLoopbackDevice, isUsable, wordOf } from '../machine/address-book.ts';
import { isLinkLocal } from '../machine/special-address.ts';
import { changeFields, checkedAddress, setFields } from './address-fields.ts';
import type { AddressSet } from './address-set.ts';
import type { AddressHeritage } from './frozen-address.ts';
import { copyAddress, FROZEN_ADDRESS_LAYOUTS, freezeAddress, frozenIfindex, thawAddress } from './frozen-address.ts';
import type { LinkRoutes } from './link-routes.ts';

const LOOPBACK: number = 0x7f000001;
const LOOPBACK_PREFIX_LEN = 8;

/** What the addresses of this host work with. */
export interface AddressParts {
  readonly book: AddressBook;
  readonly conf: Ipv4Conf;
  readonly clock: Clock;
  readonly set: AddressSet;
  readonly claims: AddressClaims;
  readonly lives: AddressLives;
  readonly linkLocal: LinkLocalDevices;
  readonly routes: LinkRoutes;
  readonly traffic: Port<contract.DeviceTraffic>;
  /** For whom the loopback address lives: the module. */
  readonly owner: Owner;
}

/** An address of the last generation, as this one will have it. */
interface InheritedAddress {
  readonly before: InterfaceAddress;
  readonly entry: InterfaceAddress;
  /** For whom it was there. */
  readonly owner: Owner | null;
}

/** `ip addr`: gives addresses to devices and takes them; routes come and go with them (row R1; Linux's devinet.c). */
export class Addresses implements contract.Addresses, DeviceListener {
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly #parts: AddressParts;
  readonly #heritages = new WeakMap<InterfaceAddress, AddressHeritage>();
  #objects!: Objects<InterfaceAddress>;
  #inherited: InheritedAddress[] = [];

  constructor(parts: AddressParts) {
    this.#parts = parts;
  }

  /** How the kernel manages them. */
  get spec(): ObjectSpec<InterfaceAddress> {
    return {
      drain: 'keep',
      close: (entry) => this.#end(entry),
      describe: (entry) => `${textOf(entry)} on ${entry.device.name}`,
      freeze: (entry) => this.#freeze(entry),
      thaws: FROZEN_ADDRESS_LAYOUTS,
      thaw: (frozen) => this.#thaw(frozen),
      settle: (entry) => this.#settle(entry),
      left: (entry) => this.#parts.claims.end(entry),
    };
  }

  /** The kind, as the context has made it. */
  begin(objects: Objects<InterfaceAddress>): void {
    this.#objects = objects;
    this.#parts.set.objects = objects;
  }

  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner, options: AddressOptions = {}): InterfaceAddress {
    const { book, set, clock } = this.#parts;
    this.#takeOverAll();
    const word = checkedAddress(address, prefixLen);
    const text = `${formatIpv4(word)}/${prefixLen}`;
    if (device.ifindex === 0)
      throw new NetError('ENODEV', `${text}: ${device.name || 'the device'} is not registered`, { syscall: 'address' });
    if (book.find(device, word, prefixLen) !== null) {
      throw new NetError('EEXIST', `${device.name} has ${text} already`, { syscall: 'address' });
    }
    const entry = new InterfaceAddress(this.family, device, address, prefixLen);
    setFields(entry, options, clock.nowUs / 1000);
    set.put(entry, owner, this.#defenceOf(entry));
    return entry;
  }

  change(device: NetDevice, address: AddressWords, prefixLen: number, options: AddressOptions): InterfaceAddress {
    const { set, clock } = this.#parts;
    const entry = this.#find(device, address, prefixLen);
    const { scope = entry.scope, peer = entry.peer } = options;
    if (scope !== entry.scope || peer?.[3] !== entry.peer?.[3]) {
      const sentence = `scope and peer of ${textOf(entry)} cannot be changed: take it from ${device.name}, and add it anew`;
      throw new NetError('EINVAL', sentence, { syscall: 'address' });
    }
    changeFields(entry, options, clock.nowUs / 1000);
    set.changed(entry);
    return entry;
  }

  remove(device: NetDevice, address: AddressWords, prefixLen: number): void {
    this.#forget(this.#find(device, address, prefixLen));
  }

  deviceChanged(device: NetDevice, event: number): void {
    const { book, claims, linkLocal, set } = this.#parts;
    this.#takeOverAll();
    if (event === DEVICE_EVENT.UNREGISTER) {
      linkLocal.deviceGone(device);
      for (const entry of book.entries) if (entry.device === device) this.#forget(entry);
      claims.deviceGone(device);
      return;
    }
    if ((event === DEVICE_EVENT.REGISTER || event === DEVICE_EVENT.UP) && isLoopbackDevice(device)) this.#addLoopback(device);
    if (event === DEVICE_EVENT.UP || event === DEVICE_EVENT.DOWN) this.#sync();
    const isBack = claims.deviceChanged(device, event);
    linkLocal.look(device);
    if (!isBack && event !== DEVICE_EVENT.ADDRESS) return;
    for (const entry of book.entries) if (entry.device === device) set.announce(entry);
  }

  /** The layer that this one is to replace, which may be gone before {@link refresh}: its addresses will be here. */
  inherit(before: NetworkLayer): void {
    this.#inherited = Array.from(before.addresses, (entry) => ({ before: entry, entry: copyAddress(entry), owner: entry.holdOwner }));
  }

  /** Layers have come or gone: routes that another one had may be ours now. Work of a poll. */
  refresh(): void {
    this.#takeOverAll();
    this.#sync();
    this.#parts.lives.look();
    this.#parts.linkLocal.lookAll(this.#parts.traffic.current.all());
  }

  /** Its life is over. */
  expire(entry: InterfaceAddress): void {
    this.#forget(entry);
  }

  /** Nothing waits for a time any more. */
  close(): void {
    const { claims, lives, linkLocal } = this.#parts;
    linkLocal.close();
    claims.close();
    lives.close();
  }

  #sync(): void {
    this.#parts.routes.sync(this.#parts.book.usable);
  }

  /** By hand-over the kernel has moved all addresses. Where the other one drains, newcomers need them here; those inside go on by that one. */
  #takeOverAll(): void {
    for (const each of this.#inherited.splice(0)) this.#takeOver(each);
    this.#parts.linkLocal.begin();
  }

  #takeOver({ before, entry, owner: holdOwner }: InheritedAddress): void {
    const { book, routes, owner } = this.#parts;
    const { device, address, prefixLen } = entry;
    const isHeld = before.holdNext !== null;
    if (device.ifindex !== 0 && book.find(device, address[3], prefixLen) === null) {
      // What the last generation had for itself, this one has.
      const isOurs = holdOwner === null || isLoopbackDevice(device) || holdOwner.name === owner.name;
      this.#objects.hold(entry, isOurs ? owner : holdOwner, 'ipv4.take-over');
      this.#heritages.set(entry, { claim: null, attempt: isOurs && isLinkLocal(address[3]) ? 0 : -1 });
      this.#place(entry);
    }
    if (!isHeld) return;
    before.holdKind?.release(before);
    routes.adopt(book.usable);
  }

  #addLoopback(device: NetDevice): void {
    if (this.#parts.book.find(device, LOOPBACK, LOOPBACK_PREFIX_LEN) !== null) return;
    this.add(device, [0, 0, IPV4_WORD2, LOOPBACK], LOOPBACK_PREFIX_LEN, this.#parts.owner);
  }

  /** The layer goes: nothing is chosen in the place of what it takes, and routes that others have made stay. */
  #end(entry: InterfaceAddress): void {
    this.#parts.linkLocal.close();
    this.#forget(entry, false);
  }

  #forget(entry: InterfaceAddress, withRoutes = true): void {
    this.#parts.linkLocal.gone(entry);
    this.#parts.set.take(entry, withRoutes);
    if (entry.holdNext !== null) this.#objects.release(entry);
  }

  /** @throws NetError EADDRNOTAVAIL. */
  #find(device: NetDevice, address: AddressWords, prefixLen: number): InterfaceAddress {
    const { book } = this.#parts;
    this.#takeOverAll();
    const entry = book.find(device, address[3], prefixLen);
    if (entry !== null) return entry;
    const has = book.entries.filter((e) => e.device === device).map(textOf);
    const sentence = `${device.name} has no address ${formatIpv4(address[3])}/${prefixLen}; it has: ${has.join(', ') || 'none'}`;
    throw new NetError('EADDRNOTAVAIL', sentence, { syscall: 'address' });
  }

  /** How it is defended, by `acd`, one of `DEFENCE`; 0: not looked after. */
  #defenceOf({ device, flags }: InterfaceAddress): number {
    if (isLoopbackDevice(device) || (flags & ADDRESS_FLAG.NODAD) !== 0) return 0;
    return this.#parts.conf.value(device.ifindex, 'acd');
  }

  #freeze(entry: InterfaceAddress): Frozen {
    const { claims, linkLocal } = this.#parts;
    return freezeAddress(entry, { claim: claims.freeze(entry), attempt: linkLocal.attemptOf(entry) });
  }

  #thaw(frozen: Frozen): InterfaceAddress {
    const ifindex = frozenIfindex(frozen);
    const device = this.#parts.traffic.current.byIndex(ifindex);
    if (device === null) throw new NetError('ENODEV', `an address is on device ${ifindex}, which is not there`);
    const { entry, heritage } = thawAddress(frozen, device);
    this.#heritages.set(entry, heritage);
    return entry;
  }

  #settle(entry: InterfaceAddress): void {
    this.#place(entry);
    this.#parts.routes.adopt(this.#parts.book.usable);
    this.#parts.lives.look();
  }

  /** An address of the last generation has its place here; its routes are there. */
  #place(entry: InterfaceAddress): void {
    const { book, claims, linkLocal } = this.#parts;
    const { claim = null, attempt = -1 } = this.#heritages.get(entry) ?? {};
    this.#heritages.delete(entry);
    book.add(entry);
    if (attempt >= 0) linkLocal.adopt(entry, attempt);
    const defence = claim?.defence ?? (attempt >= 0 ? DEFENCE.ONCE : this.#defenceOf(entry));
    if (defence !== 0) claims.adopt(entry, defence, claim?.claim ?? null);
    else if (!isUsable(entry)) this.#parts.set.claimed(entry);
  }
}

function textOf(entry: InterfaceAddress): string {
  return `${formatIpv4(wordOf(entry))}/${entry.prefixLen}`;
}
