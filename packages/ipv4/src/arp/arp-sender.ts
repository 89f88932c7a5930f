import type * as contract from '@softnet/contract';
import type { Counter, CurrentOwner, NetDevice, Port } from '@softnet/contract';
import { DEVICE_FLAG, ETHERTYPE, SKB_TYPE } from '@softnet/contract';
import { isLinkLocal } from '../machine/special-address.ts';
import { ARP_BYTES, ARP_OPERATION, putArp } from './wire.ts';

/** What sending ARP takes of the layer's parts. */
export interface ArpSenderParts {
  readonly current: CurrentOwner;
  readonly pool: Port<contract.SkbPool>;
  readonly traffic: Port<contract.DeviceTraffic>;
  readonly counters: { readonly arpRequests: Counter; readonly arpReplies: Counter };
}

/** Writes ARP packets and sends them (RFC 826). Where memory is out they are not sent: whoever asks does so again. */
export class ArpSender {
  readonly #parts: ArpSenderParts;
  /** Whom a frame goes to, while it is written. */
  readonly #to = new Uint8Array(6);

  constructor(parts: ArpSenderParts) {
    this.#parts = parts;
  }

  /** @param toLink where he is believed to be; null: all are asked. */
  request(device: NetDevice, sender: number, target: number, toLink: Uint8Array | null): void {
    this.#send(device, ARP_OPERATION.REQUEST, sender, toLink, 0, target);
  }

  /** @param toLink where the link address of `target` stands, from `toAt` on. */
  reply(device: NetDevice, sender: number, target: number, toLink: Uint8Array, toAt: number): void {
    this.#send(device, ARP_OPERATION.REPLY, sender, toLink, toAt, target);
  }

  /** Asks whether somebody has the address, without saying that it is ours (RFC 5227 §2.1). */
  probe(device: NetDevice, address: number): void {
    this.#send(device, ARP_OPERATION.REQUEST, 0, null, 0, address);
  }

  /** Tells all on the link that the address is here (RFC 5227 §2.3): gratuitous ARP. */
  announce(device: NetDevice, address: number): void {
    if (hasArp(device)) this.#send(device, ARP_OPERATION.REQUEST, address, null, 0, address);
  }

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
    const to = this.#to;
    // Who has a link-local address tells all what it tells one, so that conflicts are seen (RFC 3927 §2.5).
    const toAll = toLink === null || isLinkLocal(sender);
    for (let i = 0; i < to.length; i++) to[i] = toAll ? device.broadcast[i]! : toLink[toAt + i]!;
    device.link.write(skb, device, ETHERTYPE.ARP, to, null);
    if (operation === ARP_OPERATION.REQUEST) counters.arpRequests.value++;
    else counters.arpReplies.value++;
    const caller = current.id;
    current.id = traffic.owner;
    traffic.current.transmit(device, skb);
    current.id = caller;
  }
}

/** Links whose hosts are asked for: Ethernet's. */
export function hasArp({ flags, addressLen }: NetDevice): boolean {
  return (flags & (DEVICE_FLAG.NOARP | DEVICE_FLAG.LOOPBACK)) === 0 && addressLen === 6;
}
