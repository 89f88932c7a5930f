import type { Clock, DropReason, NetDevice, Port, Skb, SkbPool, SkbQueue, Timer, TxQueue } from '@softnet/contract';
import { dequeue, enqueue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { DeviceDriver } from '../driver/device-driver.ts';
import type { DriverDevices } from '../driver/driver-devices.ts';
import type { CableEnd, CablePort } from './cable.ts';
import type { FrameLauncher } from './frame-launcher.ts';

/** What a port needs of its module. */
export interface WireHost {
  readonly devices: DriverDevices;
  readonly pool: Port<SkbPool>;
  readonly clock: Clock;
  readonly launcher: FrameLauncher;
  readonly reasons: { readonly noCarrier: DropReason; readonly cut: DropReason };
  timer(fire: (port: WirePort) => void, port: WirePort, place: string): Timer;
}

/** A device with an end of a cable in it. */
export class WirePort implements DeviceDriver, CablePort {
  readonly device: NetDevice;
  readonly outside: CableEnd;
  up = false;
  readonly #host: WireHost;
  readonly #queue: TxQueue;
  /** The first frame that waits for the line has left, or there is room again. */
  readonly #line: Timer;
  /** The next frame arrives. */
  readonly #arrival: Timer;

  /** @throws NetError EBUSY when another device has that end. */
  constructor(host: WireHost, device: NetDevice, end: CableEnd) {
    end.plug(this);
    this.#host = host;
    this.device = device;
    this.outside = end;
    this.#queue = device.txQueues[0]!;
    this.#line = host.timer((port) => port.#lineFree(), this, 'wire.line');
    this.#arrival = host.timer((port) => port.#arrive(), this, 'wire.arrival');
  }

  get pool(): Port<SkbPool> {
    return this.#host.pool;
  }

  readUs(): number {
    return this.#host.clock.readUs();
  }

  open(): void {
    this.#queue.stopped = false;
    this.up = true;
    this.outside.cable.announce();
  }

  stop(): void {
    this.up = false;
    this.#line.cancel();
    this.loseFlying();
    const { waiting } = this.outside.line;
    const { lenPackets, lenBytes } = waiting;
    this.device.stats.txDropped += purge(waiting, this.#host.reasons.noCarrier);
    this.#host.devices.completed(this.#queue, lenPackets, lenBytes);
    this.outside.cable.announce();
  }

  close(): void {
    this.outside.unplug();
  }

  leave(): void {
    this.#line.cancel();
    this.#arrival.cancel();
    this.outside.port = null;
  }

  /** It was handed over, with what is under way. */
  resume(up: boolean): void {
    const { line } = this.outside;
    this.up = up;
    if (line.waiting.first !== null) this.#line.armAt(line.busyUntilUs);
    this.coming();
    this.room();
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { outside } = this;
    const { line } = outside;
    const { queueFrames, rateBps } = line.settings;
    const direct = rateBps === 0 && line.waiting.first === null;
    const { launcher, clock, devices } = this.#host;
    const { nowUs } = clock;
    launcher.begin(outside, nowUs);
    let packets = 0;
    let bytes = 0;
    for (let skb = batch.first; skb !== null; skb = batch.first) {
      if (outside.underWay >= queueFrames) {
        queue.stopped = true;
        break;
      }
      dequeue(batch);
      if (!direct) {
        this.#wait(skb, nowUs);
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
    if (this.#hasRoom()) this.#line.arm(0);
  }

  carrierChanged(): void {
    const { carrier } = this.outside.cable;
    if (this.device.carrier !== carrier) this.#host.devices.setCarrier(this.device, carrier);
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

  /** The queue has stopped, and may go on: not for each frame that leaves. */
  #hasRoom(): boolean {
    if (!this.#queue.stopped || !this.up) return false;
    const { queueFrames } = this.outside.line.settings;
    return this.outside.underWay <= queueFrames - Math.min(64, (queueFrames + 1) >> 1);
  }

  #wait(skb: Skb, nowUs: number): void {
    const { line } = this.outside;
    if (line.waiting.first === null) {
      line.occupy(skb, Math.max(nowUs, line.busyUntilUs));
      this.#line.armAt(line.busyUntilUs);
    }
    enqueue(line.waiting, skb);
  }

  /** Sends all that the line has let through by now, each at its time. */
  #lineFree(): void {
    const { line, peer } = this.outside;
    const { waiting } = line;
    const { launcher, clock, devices } = this.#host;
    const { nowUs } = clock;
    launcher.begin(this.outside, nowUs);
    let packets = 0;
    let bytes = 0;
    for (let skb = waiting.first; skb !== null && line.busyUntilUs <= nowUs; skb = waiting.first) {
      const departUs = line.busyUntilUs;
      dequeue(waiting);
      packets++;
      bytes += skb.len;
      launcher.launch(this.outside, skb, departUs);
      if (waiting.first !== null) line.occupy(waiting.first, departUs);
    }
    if (waiting.first !== null) this.#line.armAt(line.busyUntilUs);
    peer.port?.coming();
    devices.sent(this.#queue, packets, bytes);
    if (this.#hasRoom()) devices.wake(this.#queue);
  }

  #arrive(): void {
    const { flight, peer } = this.outside;
    const { nowUs } = this.#host.clock;
    const queue = this.device.rxQueues[0]!;
    for (let skb = flight.take(nowUs); skb !== null; skb = flight.take(nowUs)) this.#host.devices.received(queue, skb);
    this.coming();
    peer.port?.room();
  }
}
