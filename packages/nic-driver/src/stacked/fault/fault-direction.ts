import type { Clock, DropReason, Skb, Timer } from '@softnet/contract';
import { dequeue, enqueue } from '@softnet/contract';
import { orphan, purge } from '@softnet/skb';
import { flightUs, occupyLine } from '../../virtual-wire/line-pace.ts';
import type { FaultLine } from './fault-line.ts';
import { isLost } from './fault-line.ts';
import type { FrameDamage } from './frame-damage.ts';

/** What a direction needs of its module. */
export interface FaultHost {
  readonly clock: Clock;
  readonly damage: FrameDamage;
  readonly lost: DropReason;
  readonly cut: DropReason;
  readonly full: DropReason;
  timer(fire: (direction: FaultDirection) => void, direction: FaultDirection, place: string): Timer;
}

/** Where a direction leads. */
export interface FaultExit {
  /** Of its device: so that captures know whose a lost frame was. */
  readonly ifindex: number;
  /** Takes a frame that has come through. */
  out(skb: Skb): void;
  /** So much has left the line, lost or not; once a batch. */
  departed(packets: number, bytes: number): void;
  /** There may be room for more. */
  room(): void;
}

/**
 * Does to the frames of one direction what its settings say. A frame waits for the line (rate), may be lost, changed or doubled as it leaves it, and
 * then takes its time (delay, jitter, reordering). What is decided depends on seed and frames alone.
 */
export class FaultDirection {
  readonly line: FaultLine;
  readonly #host: FaultHost;
  readonly #exit: FaultExit;
  readonly #timer: Timer;
  /** Left the line, and not told yet. */
  #packets = 0;
  #bytes = 0;

  constructor(host: FaultHost, line: FaultLine, exit: FaultExit) {
    this.line = line;
    this.#host = host;
    this.#exit = exit;
    this.#timer = host.timer((direction) => direction.#fire(), this, 'fault.direction');
  }

  /** Frames under way. */
  get count(): number {
    return this.line.waiting.lenPackets + this.line.flight.count;
  }

  get full(): boolean {
    return this.count >= this.line.settings.queueFrames;
  }

  /** Takes a frame; there is room. {@link settle} follows. */
  put(skb: Skb): void {
    const { line } = this;
    const { waiting } = line;
    const { nowUs } = this.#host.clock;
    if (waiting.first === null) {
      if (line.settings.rateBps === 0) {
        this.#depart(skb, nowUs);
        return;
      }
      occupyLine(line, skb.len, Math.max(nowUs, line.busyUntilUs));
    }
    enqueue(waiting, skb);
  }

  /** Behind a batch, and whenever settings or generations have changed. */
  settle(): void {
    const { waiting, busyUntilUs, flight } = this.line;
    const nextUs = Math.min(flight.nextUs, waiting.first === null ? Number.POSITIVE_INFINITY : busyUntilUs);
    if (nextUs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else if (!this.#timer.armed || this.#timer.whenUs !== nextUs) this.#timer.armAt(nextUs);
    if (this.#packets === 0) return;
    const packets = this.#packets;
    const bytes = this.#bytes;
    this.#packets = 0;
    this.#bytes = 0;
    this.#exit.departed(packets, bytes);
  }

  /** Drops all that is under way. Returns how many frames that were. */
  cut(): number {
    const { waiting, flight } = this.line;
    const { cut } = this.#host;
    const { count } = this;
    this.#timer.cancel();
    for (let skb = waiting.first; skb !== null; skb = skb.next) skb.ifindex = this.#exit.ifindex;
    purge(waiting, cut);
    for (let skb = flight.take(Number.POSITIVE_INFINITY); skb !== null; skb = flight.take(Number.POSITIVE_INFINITY)) {
      this.#drop(skb, cut);
    }
    return count;
  }

  /** The next generation goes on with the line. */
  leave(): void {
    this.#timer.cancel();
  }

  /** There is no room for this frame, and nowhere to wait. */
  refuse(skb: Skb): void {
    this.line.counts.refused++;
    this.#drop(skb, this.#host.full);
  }

  #fire(): void {
    const { line } = this;
    const { waiting, flight } = line;
    const { nowUs } = this.#host.clock;
    while (waiting.first !== null && line.busyUntilUs <= nowUs) {
      const departUs = line.busyUntilUs;
      const skb = dequeue(waiting)!;
      if (waiting.first !== null) occupyLine(line, (waiting.first as Skb).len, departUs);
      this.#depart(skb, departUs);
    }
    // No more than there are now: one that comes out may bring its sender to send the next.
    for (let left = flight.count; left > 0; left--) {
      const skb = flight.take(nowUs);
      if (skb === null) break;
      this.#exit.out(skb);
    }
    this.settle();
    this.#exit.room();
  }

  /** A frame leaves the line: once, twice, or not at all. */
  #depart(skb: Skb, departUs: number): void {
    const { line } = this;
    const { random, counts, settings, flight } = line;
    counts.frames++;
    this.#packets++;
    this.#bytes += skb.len;
    if (isLost(line)) {
      counts.lost++;
      this.#drop(skb, this.#host.lost);
      return;
    }
    const leaving = random.happens(line.corrupt) ? this.#damaged(skb) : skb;
    // What has left does not press on its sender any more.
    orphan(leaving);
    flight.insert(leaving, departUs + flightUs(line));
    if (!random.happens(line.duplicate) || this.count >= settings.queueFrames) return;
    const second = leaving.memory.pool.clone(leaving);
    if (second === null) return;
    counts.duplicated++;
    flight.insert(second, departUs + flightUs(line));
  }

  #damaged(skb: Skb): Skb {
    const { random, counts } = this.line;
    const damaged = this.#host.damage.flip(skb, random.below(8 * skb.len));
    if (damaged === null) return skb;
    counts.corrupted++;
    return damaged;
  }

  #drop(skb: Skb, reason: DropReason): void {
    skb.ifindex = this.#exit.ifindex;
    skb.memory.pool.drop(skb, reason);
  }
}
