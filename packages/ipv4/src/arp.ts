import type * as contract from '@softnet/contract';
import type { CurrentOwner, EthertypeHandler, Neighbour, NeighbourProtocol, NetDevice, Port, Skb } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  DEVICE_FLAG,
  ETHERTYPE,
  IPV4_WORD2,
  NEIGHBOUR_STATE,
  NEIGHBOUR_UPDATE,
  REFUSAL,
  SKB_TYPE,
} from '@softnet/contract';
import { gather } from '@softnet/skb';
import { ipv4Src } from '@softnet/wire';
import type { Joints } from './joints.ts';
import { isLoopback, isMulticast } from './machine/special-address.ts';
import type { Ipv4Parts } from './parts.ts';
import { drop } from './parts.ts';
import { ARP_BYTES, ARP_OPERATION, ARP_SENDER_LINK, arpFault, arpOperation, arpSender, arpTarget, putArp } from './wire.ts';

const { OVERRIDE, SOLICITED, CREATE } = NEIGHBOUR_UPDATE;

/** Address resolution on Ethernet (RFC 826, RFC 5227; Linux's arp.c): answers for this host's addresses, asks for others'. */
export class Arp implements EthertypeHandler, NeighbourProtocol {
  readonly name = 'arp';
  readonly ethertype: number = ETHERTYPE.ARP;
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly dissect = null;
  readonly gro = null;
  readonly segment = null;
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  /** Whom requests go to, while they are written. */
  readonly #nobody = new Uint8Array(6);

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  input(skb: Skb, device: NetDevice): void {
    const { drops } = this.#parts;
    if (!hasArp(device)) drop(skb, drops['arp.no-arp']);
    else if (skb.type === SKB_TYPE.OTHERHOST) drop(skb, drops['arp.other-host']);
    else if (!gather(skb, Math.min(skb.len, ARP_BYTES))) drop(skb, drops['ipv4.no-memory']);
    else {
      const fault = arpFault(skb.memory.view, skb.data, skb.tail - skb.data, device.type);
      if (fault !== null) drop(skb, drops[fault]);
      else this.#process(skb, device);
    }
  }

  /** RFC 826 "Packet Reception", with RFC 5227's probes and Linux's rules of what is learnt. */
  #process(skb: Skb, device: NetDevice): void {
    const { drops, book } = this.#parts;
    const { view } = skb.memory;
    const at = skb.data;
    const sender = arpSender(view, at);
    const target = arpTarget(view, at);
    if (isMulticast(target) || isLoopback(target)) {
      drop(skb, drops['arp.target']);
      return;
    }
    if (sender !== 0 && book.isLocal(sender, 0)) {
      drop(skb, drops['arp.conflict']);
      return;
    }
    const asks = arpOperation(view, at) === ARP_OPERATION.REQUEST;
    const forUs = asks && book.isLocal(target, 0);
    if (sender !== 0) this.#learn(skb, device, sender, asks, forUs);
    if (forUs) this.#send(device, ARP_OPERATION.REPLY, target, skb.memory.bytes, at + ARP_SENDER_LINK, sender);
    skb.memory.pool.release(skb);
  }

  /** Who asks for us is made known; of others, and of who announces himself, only what is known is kept up to date (RFC 5227 §3). */
  #learn(skb: Skb, device: NetDevice, sender: number, asks: boolean, forUs: boolean): void {
    const { neighbours, current } = this.#parts;
    const answers = !asks && skb.type === SKB_TYPE.HOST;
    const bits = OVERRIDE | (answers ? SOLICITED : 0) | (forUs ? CREATE : 0);
    const caller = current.id;
    current.id = neighbours.owner;
    neighbours.current.learn(device, this.family, 0, 0, IPV4_WORD2, sender, skb.memory.bytes, skb.data + ARP_SENDER_LINK, bits);
    current.id = caller;
  }

  begin(neighbour: Neighbour): number {
    const { device, address3, linkAddress } = neighbour;
    const type = this.#parts.book.typeOf(address3, device.ifindex);
    if (type === ADDRESS_TYPE.UNSPECIFIED) return NEIGHBOUR_STATE.FAILED;
    if (device.addressLen === 0) return NEIGHBOUR_STATE.NOARP;
    if (type === ADDRESS_TYPE.MULTICAST && device.addressLen === 6) putGroup(linkAddress, address3);
    else if (!hasArp(device)) linkAddress.set(device.address);
    else if (type === ADDRESS_TYPE.BROADCAST || (device.flags & DEVICE_FLAG.POINTOPOINT) !== 0) linkAddress.set(device.broadcast);
    else return NEIGHBOUR_STATE.NONE;
    return NEIGHBOUR_STATE.NOARP;
  }

  solicit(neighbour: Neighbour, skb: Skb | null): void {
    const { device, address3, linkAddress, state } = neighbour;
    const { book } = this.#parts;
    // From the address that the packet comes from, so that the answer finds its way (arp_announce 0).
    let source = skb !== null && skb.network >= 0 ? ipv4Src(skb.memory.view, skb.network) : 0;
    if (source === 0 || !book.isLocal(source, 0)) source = book.sourceFor(device, address3);
    const to = state === NEIGHBOUR_STATE.PROBE ? linkAddress : null;
    this.#send(device, ARP_OPERATION.REQUEST, source, to, 0, address3);
  }

  /** Linux's `arp_error_report`. */
  failed({ address3 }: Neighbour, skb: Skb): void {
    this.#joints.redirects.failed(address3);
    this.#joints.icmp.refuse(skb, REFUSAL.HOST_UNREACHABLE, 0);
    drop(skb, this.#parts.drops['ipv4.neighbour-failed']);
  }

  reachableMs(): number {
    return this.#parts.settings.reachableMs.value;
  }

  retransMs(): number {
    return this.#parts.settings.retransMs.value;
  }

  /** @param toLink where the link address stands whom it goes to; null: to all. */
  #send(device: NetDevice, operation: number, sender: number, toLink: Uint8Array | null, toAt: number, target: number): void {
    const { pool, traffic, current, counters } = this.#parts;
    const skb = pool.current.alloc(device.headroomBytes, ARP_BYTES + device.tailroomBytes);
    if (skb === null) return;
    skb.tail += ARP_BYTES;
    skb.len = ARP_BYTES;
    skb.network = skb.data;
    skb.protocol = ETHERTYPE.ARP;
    skb.type = SKB_TYPE.OUTGOING;
    putArp(skb.memory.view, skb.data, device.type, operation, device.address, sender, toLink, toAt, target);
    const to = this.#nobody;
    for (let i = 0; i < to.length; i++) to[i] = toLink === null ? device.broadcast[i]! : toLink[toAt + i]!;
    device.link.write(skb, device, ETHERTYPE.ARP, to, null);
    if (operation === ARP_OPERATION.REQUEST) counters.arpRequests.value++;
    else counters.arpReplies.value++;
    transmit(traffic, current, device, skb);
  }
}

function transmit(traffic: Port<contract.DeviceTraffic>, current: CurrentOwner, device: NetDevice, skb: Skb): void {
  const caller = current.id;
  current.id = traffic.owner;
  traffic.current.transmit(device, skb);
  current.id = caller;
}

/** Links whose hosts are asked for: Ethernet's. */
function hasArp({ flags, addressLen }: NetDevice): boolean {
  return (flags & (DEVICE_FLAG.NOARP | DEVICE_FLAG.LOOPBACK)) === 0 && addressLen === 6;
}

/** 01:00:5e and the lower 23 bits (RFC 1112 §6.4). */
function putGroup(linkAddress: Uint8Array, group: number): void {
  linkAddress[0] = 0x01;
  linkAddress[1] = 0x00;
  linkAddress[2] = 0x5e;
  linkAddress[3] = (group >>> 16) & 0x7f;
  linkAddress[4] = (group >>> 8) & 0xff;
  linkAddress[5] = group & 0xff;
}
