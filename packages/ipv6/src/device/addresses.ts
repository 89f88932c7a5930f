import type * as contract from '@softnet/contract';
import type { AddressOptions, AddressWords, Clock, InterfaceAddress, NetDevice, ObjectSpec, Owner, Port } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress as Entry, NetError } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import type { Ipv6Conf } from '../conf.ts';
import type { FrozenDetection } from '../dad/duplicate-detection.ts';
import { isSame } from '../machine/address-kind.ts';
import { AddressState, ORIGIN, stateOf } from '../machine/address-state.ts';
import { refused, unfit } from './address-checks.ts';
import { changeFields, setFields } from './address-fields.ts';
import type { AddressRoutes } from './address-routes.ts';
import type { AddressSet } from './address-set.ts';
import { FROZEN_ADDRESS_LAYOUTS, freezeAddress, thawAddress } from './frozen-address.ts';
import type { Ipv6Links } from './ipv6-links.ts';

export interface AddressesHost {
  readonly clock: Clock;
  readonly conf: Ipv6Conf;
  readonly links: Ipv6Links;
  readonly set: AddressSet;
  readonly routes: AddressRoutes;
  readonly traffic: Port<contract.DeviceTraffic>;
  /** This generation was loaded while another left. */
  readonly isBeside: boolean;
}

/** `ip -6 addr`: gives addresses to devices and takes them; and what becomes of them when their module is replaced. */
export class Addresses implements contract.Addresses {
  readonly family = ADDRESS_FAMILY.INET6;
  readonly #host: AddressesHost;
  readonly #searches = new WeakMap<InterfaceAddress, FrozenDetection>();

  constructor(host: AddressesHost) {
    this.#host = host;
  }

  /** How the kernel manages them. */
  get spec(): ObjectSpec<InterfaceAddress> {
    const { set, traffic, clock, routes } = this.#host;
    return {
      // Nothing waits for an address, as with `keep`; but what parks moves when the old generation drains, too: newcomers need it there.
      drain: 'park',
      // Those inside go by whichever generation is the newest.
      inherited: true,
      close: (entry) => set.take(entry),
      describe: ({ address, prefixLen, device }) => `${formatIpv6(...address)}/${prefixLen} on ${device.name}`,
      freeze: freezeAddress,
      thaws: FROZEN_ADDRESS_LAYOUTS,
      thaw: (frozen) => {
        const { entry, detection } = thawAddress(frozen, traffic.current, clock.nowUs / 1000);
        if (detection !== null) this.#searches.set(entry, detection);
        return entry;
      },
      settle: (entry) => this.#settle(entry),
      // Those inside go on by this generation, and know the address still.
      left: (entry) => {
        routes.retire();
        set.searches.end(entry);
      },
    };
  }

  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner, options: AddressOptions = {}): InterfaceAddress {
    const { links, set, conf, clock } = this.#host;
    const text = `${formatIpv6(...address)}/${prefixLen}`;
    if (device.ifindex === 0) throw refused('ENODEV', text, device, 'that device is not registered');
    const why = unfit(device, address, prefixLen);
    if (why !== null) throw refused('EINVAL', text, device, why);
    if (conf.value(device.ifindex, 'disable_ipv6') !== 0) {
      throw refused('EACCES', text, device, `net.ipv6.conf.${device.name}.disable_ipv6 says that there is no IPv6`);
    }
    const link = links.begin(device);
    const known = link.addresses.find((each) => isSame(each.address, ...address));
    if (known !== undefined) {
      if (stateOf(known).isInherited && known.prefixLen === prefixLen) return this.#claim(known, options);
      throw refused('EEXIST', text, device, 'it has that address already: remove it first to change its prefix');
    }
    const nowMs = clock.nowUs / 1000;
    const entry = new Entry(this.family, device, address, prefixLen);
    entry.ext = new AddressState(ORIGIN.HAND, nowMs);
    setFields(entry, options, nowMs);
    entry.flags |= (options.flags ?? 0) & ADDRESS_FLAG.OPTIMISTIC;
    set.put(link, entry, owner);
    return entry;
  }

  /** Given by hand before, and again: it never went, so it is doubted by nobody. */
  #claim(entry: InterfaceAddress, options: AddressOptions): InterfaceAddress {
    const { device, address, prefixLen } = entry;
    this.change(device, address, prefixLen, options);
    stateOf(entry).isInherited = false;
    return entry;
  }

  change(device: NetDevice, address: AddressWords, prefixLen: number, options: AddressOptions): InterfaceAddress {
    const { set, clock, routes, links } = this.#host;
    const entry = this.#find(device, address, prefixLen);
    const { peer, metric } = entry;
    if (options.scope !== undefined && options.scope !== entry.scope) {
      const sentence = `the scope of ${formatIpv6(...address)} cannot be changed: take it from ${device.name}, and add it anew`;
      throw new NetError('EINVAL', sentence, { syscall: 'address' });
    }
    changeFields(entry, options, clock.nowUs / 1000);
    const link = links.of(device.ifindex);
    if (link !== null) routes.followPrefix(link, peer ?? address, prefixLen, metric === 0 ? undefined : metric);
    if ((entry.flags & ADDRESS_FLAG.NODAD) === 0) set.changed(entry);
    else {
      set.searches.end(entry);
      set.settled(entry);
    }
    return entry;
  }

  remove(device: NetDevice, address: AddressWords, prefixLen: number): void {
    this.#host.set.take(this.#find(device, address, prefixLen));
  }

  /** @throws NetError EADDRNOTAVAIL. */
  #find(device: NetDevice, address: AddressWords, prefixLen: number): InterfaceAddress {
    const all = this.#host.links.of(device.ifindex)?.addresses;
    const known = all?.find((each) => each.prefixLen === prefixLen && isSame(each.address, ...address));
    if (known !== undefined) return known;
    const text = `${formatIpv6(...address)}/${prefixLen}`;
    throw new NetError('EADDRNOTAVAIL', `${device.name} has no address ${text}: see which it has`, { syscall: 'address' });
  }

  /** The address is this generation's now; its routes are there. */
  #settle(entry: InterfaceAddress): void {
    const { links, set, isBeside } = this.#host;
    stateOf(entry).isInherited = isBeside && stateOf(entry).origin === ORIGIN.HAND;
    const link = links.begin(entry.device);
    const again = link.addresses.find((each) => isSame(each.address, ...entry.address));
    if (again !== undefined) {
      // The device was seen first, and was given its own address.
      set.displace(link, again);
      set.objects.release(again);
    }
    links.resumed(link);
    const { attempt } = stateOf(entry);
    if (attempt > 0 && (entry.flags & ADDRESS_FLAG.STABLE_PRIVACY) !== 0) link.keepTaken(entry.address, attempt);
    set.place(link, entry);
    set.searches.adopt(link, entry, this.#searches.get(entry) ?? null);
    set.moved(entry, link);
  }
}
