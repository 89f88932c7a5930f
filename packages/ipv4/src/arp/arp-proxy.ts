import type { NetDevice } from '@softnet/contract';
import { ADDRESS_FAMILY, Flow, IPV4_WORD2, ROUTE_TYPE } from '@softnet/contract';
import { aim } from '../machine/flow.ts';
import type { Ipv4Parts } from '../parts.ts';

/** For whom else requests are answered (RFC 1027, RFC 3069; Linux's `arp_fwd_proxy`), and where answers are held back (`arp_filter`). */
export class ArpProxy {
  readonly #parts: Ipv4Parts;
  readonly #flow = new Flow();

  constructor(parts: Ipv4Parts) {
    this.#parts = parts;
  }

  /** Whether this host stands in for `target`, of whom `sender` asks by `device`: a router that knows a way to it elsewhere. */
  answersFor(device: NetDevice, sender: number, target: number): boolean {
    const { conf } = this.#parts;
    const { ifindex } = device;
    if (conf.value(ifindex, 'forwarding') === 0) return false;
    const elsewhere = conf.value(ifindex, 'proxy_arp') !== 0;
    const here = conf.value(ifindex, 'proxy_arp_pvlan') !== 0;
    const byHand = this.#isProxied(device, target);
    if (!elsewhere && !here && !byHand) return false;
    const way = this.#wayOf(device, sender, target);
    if (way === null) return false;
    return way === device ? here : elsewhere || byHand;
  }

  /** Whether packets from `target`, an address of ours, to `sender` leave by another device (Linux's `arp_filter`). */
  leavesElsewhere(device: NetDevice, sender: number, target: number): boolean {
    const { route, current } = this.#parts;
    aim(this.#flow, 0, target, sender, 0, 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    return dst.error !== 0 || dst.device !== device;
  }

  #isProxied(device: NetDevice, target: number): boolean {
    const { neighbours, current } = this.#parts;
    const caller = current.id;
    current.id = neighbours.owner;
    const found = neighbours.current.isProxied(device, ADDRESS_FAMILY.INET, 0, 0, IPV4_WORD2, target);
    current.id = caller;
    return found;
  }

  /** Where a packet of `sender` to `target` would be passed on; null: nowhere. */
  #wayOf(device: NetDevice, sender: number, target: number): NetDevice | null {
    const { route, current, conf } = this.#parts;
    aim(this.#flow, 0, sender, target, 0, 0);
    this.#flow.iif = device.ifindex;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookupInput(this.#flow, conf.value(device.ifindex, 'rp_filter'));
    current.id = caller;
    return dst.error === 0 && dst.type === ROUTE_TYPE.UNICAST ? dst.device : null;
  }
}
