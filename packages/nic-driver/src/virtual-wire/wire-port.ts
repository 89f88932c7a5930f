import type { Clock, CurrentOwner, DropReason, NetDevice, Port, Skb, SkbPool, SkbPools, SkbQueue, Timer, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import type { PoolSource, ReceiveBuffers } from '@softnet/skb';
import { purge } from '@softnet/skb';
import { FrameCopier } from '../driver/copy-frame.ts';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { DeviceMemory } from '../driver/device-memory.ts';
import type { DriverDevices } from '../driver/driver-devices.ts';
import { passesGroupFilter } from '../driver/group-filter.ts';
import type { CableEnd, CablePort } from './cable.ts';
import type { FrameLauncher } from './frame-launcher.ts';
import { occupyLine } from './line-pace.ts';
import { takesBursts } from './offloads.ts';

/** What a port needs of its module. */
export interface WireHost {
  readonly devices: DriverDevices;
  readonly pool: Port<SkbPool>;
  readonly pools: Port<SkbPools>;
  buffers(source: PoolSource): ReceiveBuffers;
  readonly clock: Clock;
  readonly current: CurrentOwner;
  readonly launcher: FrameLauncher;
  readonly reasons: { readonly noCarrier: DropReason; readonly cut: DropReason; readonly filtered: DropReason };
  timer(fire: (port: WirePort) => void, port: WirePort, place: string): Timer;
}

/** Of bursts that cross whole. */
const MAX_BURST_SEGS = 64;

/** A device with an end of a cable in it. */
export class WirePort implements DeviceDriver, CablePort {
  readonly device: NetDevice;
  readonly outside: CableEnd;
  up = false;
  takesBursts: boolean;
  readonly memory: PoolSource;
  readonly #buffers: ReceiveBuffers;
  readonly #host: WireHost;
  readonly #copier = new FrameCopier();
  /** What a parser of this kernel has thrown while a frame of another one was copied, and whose it was. */
  #fault: unknown = null;
  #faulty = 0;
  /** Sent in the turn of the timer, by transmit queue. */
  #sentPackets = new Int32Array(0);
  #sentBytes = new Int32Array(0);
  /** The first frame that waits for the line has left, or there is room again. */
  readonly #line: Timer;
  /** The next frame arrives. */
  readonly #arrival: Timer;

  /** @throws NetError EBUSY when another device has that end. */
  constructor(host: WireHost, device: NetDevice, end: CableEnd) {
    end.plug(this);
    this.#host = host;
    this.memory = memoryOf(host, device, end);
    this.#buffers = host.buffers(this.memory);
    this.device = device;
    this.outside = end;
    this.takesBursts = takesBursts(device.features);
    this.#line = host.timer((port) => port.#lineFree(), this, 'wire.line');
    this.#arrival = host.timer((port) => port.#arrive(), this, 'wire.arrival');
    this.#count(device.txQueues.length);
    this.#limitBursts();
  }

  readUs(): number {
    return this.#host.clock.readUs();
  }

  copy(skb: Skb): Skb | null {
    const { current } = this.#host;
    const caller = current.id;
    try {
      return this.#buffers.fromSkb(this.device, skb);
    } catch (error) {
      // The sender's kernel has nothing to do with it: it is told in a turn of our own, and the frame comes unsplit.
      this.#fault = error;
      this.#faulty = current.id;
      current.id = caller;
      this.#arrival.arm(0);
      return this.#copier.copy(this.memory.current, skb);
    }
  }

  open(): void {
    const { txQueues } = this.device;
    for (const queue of txQueues) queue.stopped = false;
    this.#count(txQueues.length);
    this.outside.line.waiting.resize(txQueues.length);
    this.up = true;
    this.outside.cable.announce();
  }

  stop(): void {
    this.up = false;
    this.#line.cancel();
    this.loseFlying();
    const { txQueues, stats } = this.device;
    const { waiting } = this.outside.line;
    for (const [i, queue] of waiting.queues.entries()) {
      const { lenPackets, lenBytes } = queue;
      stats.txDropped += purge(queue, this.#host.reasons.noCarrier);
      this.#host.devices.completed(txQueues[i]!, lenPackets, lenBytes);
    }
    waiting.resize(txQueues.length);
    this.outside.cable.announce();
  }

  setFeatures(features: number): void {
    this.takesBursts = takesBursts(features);
    this.outside.cable.announce();
  }

  /** There may be room now, where there was none. */
  setRings(): void {
    if (this.up) this.#line.arm(0);
  }

  close(): void {
    this.outside.unplug();
    this.#letMemoryGo();
  }

  leave(): void {
    this.#letMemoryGo();
    this.#line.cancel();
    this.#arrival.cancel();
    this.outside.port = null;
  }

  #letMemoryGo(): void {
    if (this.memory instanceof DeviceMemory) this.memory.close();
  }

  /** It was handed over, with what is under way. */
  resume(up: boolean): void {
    const { line } = this.outside;
    this.up = up;
    if (line.waiting.onLine >= 0) this.#line.armAt(line.busyUntilUs);
    this.coming();
    this.room();
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { outside } = this;
    const { line } = outside;
    const direct = line.settings.rateBps === 0 && line.waiting.lenPackets === 0;
    const { launcher, clock, devices } = this.#host;
    const { nowUs } = clock;
    launcher.begin(outside, nowUs);
    let packets = 0;
    let bytes = 0;
    for (let skb = batch.first; skb !== null; skb = batch.first) {
      if (this.#placesFor(queue) <= 0) {
        queue.stopped = true;
        break;
      }
      dequeue(batch);
      if (!direct) {
        this.#wait(queue.index, skb, nowUs);
        continue;
      }
      packets++;
      bytes += skb.len;
      launcher.launch(outside, skb, nowUs);
    }
    outside.peer.port?.coming();
    devices.sent(queue, packets, bytes);
  }

  coming(): void {
    const { flight } = this.outside;
    if (flight.count === 0) return;
    const { nextUs } = flight;
    if (!this.#arrival.armed || this.#arrival.whenUs > nextUs) this.#arrival.armAt(nextUs);
  }

  /** In the other kernel's time: the wake-up itself is this kernel's. */
  room(): void {
    if (!this.up) return;
    const { txQueues } = this.device;
    for (let i = 0; i < txQueues.length; i++) {
      if (!this.#mayGoOn(txQueues[i]!)) continue;
      this.#line.arm(0);
      return;
    }
  }

  changed(): void {
    const { cable } = this.outside;
    this.#limitBursts();
    if (this.device.carrier !== cable.carrier) this.#host.devices.setCarrier(this.device, cable.carrier);
  }

  loseFlying(): void {
    const { flight } = this.outside;
    this.#arrival.cancel();
    for (let skb = flight.take(Number.POSITIVE_INFINITY); skb !== null; skb = flight.take(Number.POSITIVE_INFINITY)) {
      this.device.stats.rxDropped++;
      skb.ifindex = this.device.ifindex;
      skb.memory.pool.drop(skb, this.#host.reasons.cut);
    }
    this.outside.peer.port?.room();
  }

  /** Where bursts do not cross whole, netdev cuts them before the device has them. */
  #limitBursts(): void {
    this.device.gsoMaxSegs = this.outside.passesBursts ? MAX_BURST_SEGS : 1;
  }

  #count(txQueues: number): void {
    this.#sentPackets = new Int32Array(txQueues);
    this.#sentBytes = new Int32Array(txQueues);
  }

  /** How many frames of a queue the cable and its ring still take. */
  #placesFor({ index, ringPackets }: TxQueue): number {
    const { line, peer } = this.outside;
    const { lenPackets } = line.waiting.queues[index]!;
    const onCable = line.settings.queueFrames - lenPackets - peer.flight.count;
    return ringPackets === 0 ? onCable : Math.min(onCable, ringPackets - lenPackets);
  }

  /** It has stopped, and may go on: not for each frame that leaves. */
  #mayGoOn(queue: TxQueue): boolean {
    if (!queue.stopped) return false;
    const { queueFrames } = this.outside.line.settings;
    const mostFrames = queue.ringPackets === 0 ? queueFrames : Math.min(queueFrames, queue.ringPackets);
    return this.#placesFor(queue) >= Math.min(64, (mostFrames + 1) >> 1);
  }

  #wait(index: number, skb: Skb, nowUs: number): void {
    const { line } = this.outside;
    line.waiting.put(index, skb);
    if (line.waiting.onLine >= 0) return;
    this.#occupy(Math.max(nowUs, line.busyUntilUs));
    this.#line.armAt(line.busyUntilUs);
  }

  /** Puts the next frame on the line, which is free from then on. */
  #occupy(freeUs: number): void {
    const { line } = this.outside;
    const skb = line.waiting.choose(this.device.txQueues);
    if (skb !== null) occupyLine(line, skb.len, freeUs);
  }

  /** Sends all that the line has let through by now, each at its time. */
  #lineFree(): void {
    const { line, peer } = this.outside;
    const { waiting } = line;
    const { launcher, clock } = this.#host;
    const { nowUs } = clock;
    launcher.begin(this.outside, nowUs);
    while (waiting.onLine >= 0 && line.busyUntilUs <= nowUs) {
      const departUs = line.busyUntilUs;
      const index = waiting.onLine;
      const skb = waiting.depart();
      this.#sentPackets[index] = this.#sentPackets[index]! + 1;
      this.#sentBytes[index] = this.#sentBytes[index]! + skb.len;
      launcher.launch(this.outside, skb, departUs);
      this.#occupy(departUs);
    }
    if (waiting.onLine >= 0) this.#line.armAt(line.busyUntilUs);
    peer.port?.coming();
    this.#tell();
  }

  /** What has left, by queue, and who may go on. */
  #tell(): void {
    const { devices } = this.#host;
    const { txQueues } = this.device;
    for (let i = 0; i < txQueues.length; i++) {
      const queue = txQueues[i]!;
      const packets = this.#sentPackets[i]!;
      const bytes = this.#sentBytes[i]!;
      this.#sentPackets[i] = 0;
      this.#sentBytes[i] = 0;
      devices.sent(queue, packets, bytes);
      if (this.up && this.#mayGoOn(queue)) devices.wake(queue);
    }
  }

  #arrive(): void {
    if (this.#fault !== null) this.#throwFault();
    const { flight, peer } = this.outside;
    const { nowUs } = this.#host.clock;
    for (let skb = flight.take(nowUs); skb !== null; skb = flight.take(nowUs)) {
      if (this.outside.filters && !passesGroupFilter(this.device, skb)) skb.memory.pool.drop(skb, this.#host.reasons.filtered);
      else this.#host.devices.arrived(this.device, skb);
    }
    this.coming();
    peer.port?.room();
  }

  /** What arrives is the next turn's. */
  #throwFault(): void {
    const fault = this.#fault;
    this.#fault = null;
    this.#arrival.arm(0);
    this.#host.current.id = this.#faulty;
    throw fault;
  }
}

/** @throws NetError ENOBUFS, EINVAL of a new device; then the end is free again. */
function memoryOf(host: WireHost, { name, ifindex }: NetDevice, end: CableEnd): PoolSource {
  if (end.memory === null) return host.pool;
  try {
    return new DeviceMemory(host, name, end.memory, ifindex === 0);
  } catch (error) {
    end.unplug();
    throw error;
  }
}
