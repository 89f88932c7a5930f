import type * as contract from '@softnet/contract';
import type {
  AddressWords,
  DeviceListener,
  Frozen,
  NetDevice,
  NetworkLayer,
  ObjectSpec,
  Objects,
  Owner,
  Port,
  Route,
} from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, ADDRESS_SCOPE, DEVICE_EVENT, InterfaceAddress, IPV4_WORD2, NetError } from '@softnet/contract';
import { formatIpv4 } from '@softnet/wire';
import type { LinkRoutes } from './link-routes.ts';
import type { AddressBook } from './machine/address-book.ts';
import { isLoopbackDevice, wordOf } from './machine/address-book.ts';
import { isLoopback, isMulticast, LIMITED_BROADCAST } from './machine/special-address.ts';

const LOOPBACK: number = 0x7f000001;
const LOOPBACK_PREFIX_LEN = 8;

/** What the addresses of this host work with. */
export interface AddressParts {
  readonly book: AddressBook;
  readonly routes: LinkRoutes;
  readonly route: Port<Route>;
  readonly traffic: Port<contract.DeviceTraffic>;
  /** For whom the loopback address lives: the module. */
  readonly owner: Owner;
}

/** `ip addr`: gives addresses to devices and takes them; routes come and go with them (row R1; Linux's devinet.c). */
export class Addresses implements contract.Addresses, DeviceListener {
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly #parts: AddressParts;
  #objects!: Objects<InterfaceAddress>;

  constructor(parts: AddressParts) {
    this.#parts = parts;
  }

  /** How the kernel manages them. */
  get spec(): ObjectSpec<InterfaceAddress> {
    return {
      drain: 'keep',
      close: (entry) => this.#forget(entry),
      describe: (entry) => `${formatIpv4(wordOf(entry))}/${entry.prefixLen} on ${entry.device.name}`,
      freeze: (entry) => freeze(entry),
      thaws: [1],
      thaw: ({ data }) => this.#thaw(data as unknown as FrozenAddress),
      settle: (entry) => {
        this.#parts.book.add(entry);
        this.#parts.routes.adopt(this.#parts.book.entries);
      },
    };
  }

  /** The kind, as the context has made it. */
  begin(objects: Objects<InterfaceAddress>): void {
    this.#objects = objects;
  }

  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner): InterfaceAddress {
    const word = checked(address, prefixLen);
    const text = `${formatIpv4(word)}/${prefixLen}`;
    if (device.ifindex === 0)
      throw new NetError('ENODEV', `${text}: ${device.name || 'the device'} is not registered`, { syscall: 'address' });
    if (this.#parts.book.find(device, word, prefixLen) !== null) {
      throw new NetError('EEXIST', `${device.name} has ${text} already`, { syscall: 'address' });
    }
    return this.#add(device, address, prefixLen, owner);
  }

  change(): InterfaceAddress {
    throw new NetError('EOPNOTSUPP', 'lifetimes and flags of addresses cannot be changed yet', { syscall: 'address' });
  }

  remove(device: NetDevice, address: AddressWords, prefixLen: number): void {
    const entry = this.#parts.book.find(device, address[3], prefixLen);
    if (entry === null) {
      const has = this.#parts.book.entries.filter((e) => e.device === device).map((e) => `${formatIpv4(wordOf(e))}/${e.prefixLen}`);
      const sentence = `${device.name} has no address ${formatIpv4(address[3])}/${prefixLen}; it has: ${has.join(', ') || 'none'}`;
      throw new NetError('EADDRNOTAVAIL', sentence, { syscall: 'address' });
    }
    this.#forget(entry);
  }

  deviceChanged(device: NetDevice, event: number): void {
    const { book, routes } = this.#parts;
    if (event === DEVICE_EVENT.UNREGISTER) {
      for (const entry of book.entries) if (entry.device === device) this.#forget(entry);
      return;
    }
    if ((event === DEVICE_EVENT.REGISTER || event === DEVICE_EVENT.UP) && isLoopbackDevice(device)) this.#addLoopback(device);
    if (event === DEVICE_EVENT.UP || event === DEVICE_EVENT.DOWN) routes.sync(book.entries);
  }

  /**
   * Layers have come or gone: routes that another one had may be ours now. Work of a poll.
   * @param before the layer that this one replaces; null: none.
   */
  refresh(before: NetworkLayer | null): void {
    // By hand-over the kernel has moved all addresses. Where the other one drains, newcomers need them here; those inside go on by
    // that one, whose book has them still.
    if (before !== null) for (const entry of [...before.addresses]) this.#takeOver(entry);
    this.#parts.routes.sync(this.#parts.book.entries);
  }

  #takeOver(before: InterfaceAddress): void {
    const { book, routes, owner } = this.#parts;
    const { device, address, prefixLen, holdOwner, holdKind } = before;
    const isLoopback = isLoopbackDevice(device);
    if (book.find(device, address[3], prefixLen) === null) {
      const entry = new InterfaceAddress(this.family, device, address, prefixLen);
      entry.scope = before.scope;
      entry.flags = before.flags & ~ADDRESS_FLAG.SECONDARY;
      this.#objects.hold(entry, isLoopback || holdOwner === null ? owner : holdOwner, 'ipv4.take-over');
      book.add(entry);
    }
    holdKind?.release(before);
    routes.adopt(book.entries);
  }

  #addLoopback(device: NetDevice): void {
    if (this.#parts.book.find(device, LOOPBACK, LOOPBACK_PREFIX_LEN) !== null) return;
    this.#add(device, [0, 0, IPV4_WORD2, LOOPBACK], LOOPBACK_PREFIX_LEN, this.#parts.owner);
  }

  #add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner): InterfaceAddress {
    const { book, routes, route } = this.#parts;
    const entry = new InterfaceAddress(this.family, device, address, prefixLen);
    entry.flags = ADDRESS_FLAG.PERMANENT;
    entry.scope = scopeOf(address[3]);
    this.#objects.hold(entry, owner, 'ipv4.address');
    book.add(entry);
    routes.sync(book.entries);
    route.current.changed();
    return entry;
  }

  #forget(entry: InterfaceAddress): void {
    const { book, routes, route } = this.#parts;
    book.remove(entry);
    routes.sync(book.entries);
    route.current.changed();
    if (entry.holdNext !== null) this.#objects.release(entry);
  }

  #thaw({ ifindex, address, prefixLen, scope, flags }: FrozenAddress): InterfaceAddress {
    const device = this.#parts.traffic.current.byIndex(ifindex);
    if (device === null) throw new NetError('ENODEV', `the address ${formatIpv4(address)} is on device ${ifindex}, which is not there`);
    const entry = new InterfaceAddress(this.family, device, [0, 0, IPV4_WORD2, address], prefixLen);
    entry.scope = scope;
    entry.flags = flags & ~ADDRESS_FLAG.SECONDARY;
    return entry;
  }
}

/** An address as plain data, layout 1. */
interface FrozenAddress {
  readonly ifindex: number;
  readonly address: number;
  readonly prefixLen: number;
  readonly scope: number;
  readonly flags: number;
}

function freeze(entry: InterfaceAddress): Frozen {
  const { device, prefixLen, scope, flags } = entry;
  return { version: 1, data: { ifindex: device.ifindex, address: wordOf(entry), prefixLen, scope, flags } };
}

/** As far as it is known, by its number (RFC 3927 §2.2; Linux's `rtm_scope` by default). */
function scopeOf(address: number): number {
  if (isLoopback(address)) return ADDRESS_SCOPE.HOST;
  return address >>> 16 === 0xa9fe ? ADDRESS_SCOPE.LINK : ADDRESS_SCOPE.UNIVERSE;
}

/** @throws NetError EINVAL: no unicast address, or no prefix of it. */
function checked([word0, word1, word2, word]: AddressWords, prefixLen: number): number {
  const refuse = (why: string): NetError => new NetError('EINVAL', why, { syscall: 'address' });
  if (word0 === 0 && word1 === 0 && word2 === 0 && word === 0) throw refuse('0.0.0.0 is no address of a host (RFC 1122 §3.2.1.3)');
  if (word0 !== 0 || word1 !== 0 || word2 !== IPV4_WORD2)
    throw refuse('this is no IPv4 address: its words are 0, 0, 0xffff and the address');
  if (!Number.isInteger(prefixLen) || prefixLen < 0 || prefixLen > 32) throw refuse(`a prefix of IPv4 has 0 to 32 bits, not ${prefixLen}`);
  if (isMulticast(word)) throw refuse(`${formatIpv4(word)} is a group: sockets join groups, devices have addresses of their own`);
  if (word >>> 24 === 0 || word === LIMITED_BROADCAST) throw refuse(`${formatIpv4(word)} is no address of a host (RFC 1122 §3.2.1.3)`);
  return word;
}
