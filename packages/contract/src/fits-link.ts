// Fakes for fits-*.test.ts: a qdisc, a driver, netdev, the neighbour core. Written against the contract alone.
import type { DeviceOps, DeviceTraffic, EthertypeHandler, LinkLayer, Neighbours, Qdisc, RxQueue, Skb, TxQueue } from './index.ts';
import {
  DropReason,
  dequeue,
  ETHERTYPE,
  enqueue,
  NEIGHBOUR_STATE,
  Neighbour,
  NetDevice,
  SkbQueue,
  TRANSMIT,
  TxQueue as TransmitQueue,
} from './index.ts';

/** What happened, in order. */
export type Trace = string[];

/** Ethernet as far as a packet's way needs it. */
const ether = Object.freeze<LinkLayer>({
  addressLen: 6,
  headerBytes: 14,
  write(skb, device, ethertype, destination, source) {
    skb.data -= 14;
    skb.len += 14;
    skb.mac = skb.data;
    skb.memory.bytes.set(destination, skb.mac);
    skb.memory.bytes.set(source ?? device.address, skb.mac + 6);
    skb.memory.view.setUint16(skb.mac + 12, ethertype);
  },
  read(skb, device) {
    if (skb.len < 14) return false;
    skb.mac = skb.data;
    skb.data += 14;
    skb.len -= 14;
    skb.network = skb.data;
    skb.protocol = skb.memory.view.getUint16(skb.mac + 12);
    skb.ifindex = device.ifindex;
    return true;
  },
});

class Fifo implements Qdisc {
  readonly kind = 'pfifo';
  readonly handle = 0;
  readonly #queue = new SkbQueue();
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }
  get lenPackets(): number {
    return this.#queue.lenPackets;
  }
  get backlogBytes(): number {
    return this.#queue.lenBytes;
  }
  enqueue(skb: Skb): number {
    this.#trace.push('qdisc');
    enqueue(this.#queue, skb);
    return TRANSMIT.OK;
  }
  dequeue(): Skb | null {
    return dequeue(this.#queue);
  }
  reset(): void {
    for (let skb = this.dequeue(); skb !== null; skb = this.dequeue()) skb.memory.pool.release(skb);
  }
}

/** A driver with room for one packet, which keeps what it sends. */
export class Card implements DeviceOps {
  readonly frames: Uint8Array[] = [];
  readonly #trace: Trace;
  readonly #traffic: DeviceTraffic;

  constructor(traffic: DeviceTraffic, trace: Trace) {
    this.#traffic = traffic;
    this.#trace = trace;
  }
  open(): void {}
  stop(): void {}
  transmit(queue: TxQueue, batch: SkbQueue): void {
    const skb = dequeue(batch)!;
    this.#trace.push(`device ${queue.device.name}`);
    this.frames.push(skb.memory.bytes.slice(skb.data, skb.tail));
    queue.stopped = true;
    const { len } = skb;
    skb.memory.pool.release(skb);
    this.#traffic.completed(queue, 1, len);
  }
}

/** netdev: by ethertype on the way in, a qdisc on the way out. */
export class FakeTraffic implements DeviceTraffic {
  readonly handlers = new Map<number, EthertypeHandler>();
  readonly unknown = new DropReason(1, 'netdev.ethertype', 'nobody handles this ethertype');
  readonly #devices: NetDevice[] = [];
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }
  /** A device that is up, and its driver. */
  plug(name: string): Card {
    const card = new Card(this, this.#trace);
    const device = new NetDevice(card, ether);
    device.name = name;
    device.headroomBytes = ether.headerBytes;
    const queue = new TransmitQueue(device, 0);
    queue.qdisc = new Fifo(this.#trace);
    device.qdisc = queue.qdisc;
    device.txQueues = [queue];
    device.ifindex = this.#devices.push(device);
    return card;
  }
  byIndex(ifindex: number): NetDevice | null {
    return this.#devices[ifindex - 1] ?? null;
  }
  all(): readonly NetDevice[] {
    return this.#devices;
  }
  byName(name: string): NetDevice | null {
    return this.#devices.find((device) => device.name === name) ?? null;
  }
  transmit(device: NetDevice, skb: Skb): number {
    skb.dst = null;
    const queue = device.txQueues[0]!;
    const result = queue.qdisc!.enqueue(skb);
    this.schedule(queue);
    return result;
  }
  receive(queue: RxQueue, batch: SkbQueue): void {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      const handler = queue.device.link.read(skb, queue.device) ? this.handlers.get(skb.protocol) : undefined;
      if (handler === undefined) skb.memory.pool.drop(skb, this.unknown);
      else handler.input(skb, queue.device);
    }
  }
  schedule(queue: TxQueue): void {
    const batch = new SkbQueue();
    while (!queue.stopped) {
      const skb = queue.qdisc!.dequeue();
      if (skb === null) return;
      enqueue(batch, skb);
      queue.device.ops.transmit(queue, batch);
    }
  }
  completed(queue: TxQueue, packets: number, bytes: number): void {
    queue.packets += packets;
    queue.bytes += bytes;
    this.wake(queue);
  }
  wake(queue: TxQueue): void {
    queue.stopped = false;
  }
  setCarrier(device: NetDevice, on: boolean): void {
    device.carrier = on;
  }
  setDormant(device: NetDevice, on: boolean): void {
    device.dormant = on;
  }
}

/** Knows everybody: the link address ends in the address's last byte. */
export class FakeNeighbours implements Neighbours {
  readonly #known = new Map<string, Neighbour>();
  readonly #traffic: DeviceTraffic;
  readonly #trace: Trace;

  constructor(traffic: DeviceTraffic, trace: Trace) {
    this.#traffic = traffic;
    this.#trace = trace;
  }
  find(device: NetDevice, family: number, a0: number, a1: number, a2: number, a3: number): Neighbour {
    const name = [device.ifindex, a0, a1, a2, a3].join();
    let neighbour = this.#known.get(name);
    if (neighbour === undefined) {
      neighbour = new Neighbour(device, (to, skb) => this.#connected(to, skb));
      neighbour.family = family;
      neighbour.linkAddress[5] = a3 & 0xff;
      neighbour.state = NEIGHBOUR_STATE.REACHABLE;
      this.#known.set(name, neighbour);
    }
    return neighbour;
  }
  learn(): boolean {
    return true;
  }
  confirm(): void {}
  entries(): Neighbour[] {
    return [...this.#known.values()];
  }
  isProxied(): boolean {
    return false;
  }
  proxies(): [] {
    return [];
  }
  #connected(neighbour: Neighbour, skb: Skb): number {
    this.#trace.push(`neighbour ${neighbour.linkAddress[5]}`);
    neighbour.device.link.write(skb, neighbour.device, skb.protocol, neighbour.linkAddress, null);
    return this.#traffic.transmit(neighbour.device, skb);
  }
}

/** The ethertype of a frame that a card has sent. */
export function ethertypeOf(frame: Uint8Array): number {
  const ethertype = (frame[12]! << 8) | frame[13]!;
  return Object.values(ETHERTYPE).some((known) => known === ethertype) ? ethertype : -1;
}
