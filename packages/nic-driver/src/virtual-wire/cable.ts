import type { NetDevice, Skb } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { PoolSource } from '@softnet/skb';
import type { DeviceMemorySize } from '../driver/device-memory.ts';
import { CableRandom, chanceOf } from './cable-random.ts';
import { Flight } from './flight.ts';
import type { LinePace } from './line-pace.ts';
import { LineQueues } from './line-queues.ts';
import type { LineSettings } from './line-settings.ts';
import { changedSettings, PERFECT_LINE } from './line-settings.ts';

/** What a cable takes: settings of both directions, and who it is. */
export interface CableOptions extends Partial<LineSettings> {
  /** For lists and sentences. */
  readonly name?: string;
  /** Of its chance; an integer. Default 1. */
  readonly seed?: number;
}

/** What has become of frames of one direction so far. */
export interface LineCounts {
  /** Put on it. */
  frames: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
}

/** What one end of a cable needs of the device that it is plugged into. It may be of another build than the other end's. */
export interface CablePort {
  readonly device: NetDevice;
  /** Frames that arrive lie in it: the port of its kernel's pool, by which kernels are told apart, or memory of the device's own. */
  readonly memory: PoolSource;
  readonly up: boolean;
  /** Its device takes bursts, and packets with unfinished checksums, as they are. */
  readonly takesBursts: boolean;
  /** A frame of another kernel, as its device receives it: a copy in the memory of its own. Null: memory is out, and counted. */
  copy(skb: Skb): Skb | null;
  /** The exact time of its kernel, µs. */
  readUs(): number;
  /** A frame for it is in `end.flight`: arm. */
  coming(): void;
  /** There is room in the direction from here. */
  room(): void;
  /** `cable.carrier` may be another, or what the other end takes, or what the line does to frames. */
  changed(): void;
  /** The cable is cut: what flies towards it is lost. */
  loseFlying(): void;
}

/** From one end to the other: settings, chance, and the frames that wait for the line. */
export class CableLine implements LinePace {
  settings: LineSettings = PERFECT_LINE;
  /** The settings' fractions, for `random.happens`. */
  loss = 0;
  duplicate = 0;
  reorder = 0;
  corrupt = 0;
  readonly random: CableRandom;
  readonly counts: LineCounts = { frames: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  /** Frames of the sender's kernel, one of which is on the line until `busyUntilUs`. */
  readonly waiting = new LineQueues();
  busyUntilUs = 0;
  rest = 0;

  constructor(random: CableRandom) {
    this.random = random;
  }

  change(settings: LineSettings): void {
    this.settings = settings;
    this.loss = chanceOf(settings.loss);
    this.duplicate = chanceOf(settings.duplicate);
    this.reorder = chanceOf(settings.reorder);
    this.corrupt = chanceOf(settings.corrupt);
  }
}

/** One end of a cable. It and what flies towards it are the cable's: they survive a hand-over of the device. */
export class CableEnd {
  readonly cable: Cable;
  readonly index: 0 | 1;
  /** From here to the other end. */
  readonly line: CableLine;
  /** What flies towards here, in memory of this end's kernel. */
  readonly flight = new Flight();
  port: CablePort | null = null;
  /** What the device here has for itself, of its kernel's packet memory; null: nothing. */
  memory: DeviceMemorySize | null = null;
  /** The device here hears of groups only what it listens to, as a card with a filter does. */
  filters = false;

  constructor(cable: Cable, index: 0 | 1, seed: number) {
    this.cable = cable;
    this.index = index;
    this.line = new CableLine(new CableRandom(seed, index));
  }

  get peer(): CableEnd {
    return this.cable.ends[1 - this.index]!;
  }

  /** Can bursts cross from here as they are? Not where the line damages frames: each would have its checksum verified. */
  get passesBursts(): boolean {
    return this.peer.port?.takesBursts === true && this.line.corrupt === 0;
  }

  /** Frames under way from here. */
  get underWay(): number {
    return this.line.waiting.lenPackets + this.peer.flight.count;
  }

  /** @throws NetError EBUSY when a device has it. */
  plug(port: CablePort): void {
    if (this.port !== null) {
      throw new NetError(
        'EBUSY',
        `end ${this.index} of ${this.cable.name} is in ${this.port.device.name} already: unplug it, or use the other`,
      );
    }
    this.port = port;
  }

  unplug(): void {
    this.port = null;
    this.cable.announce();
  }
}

/**
 * A point-to-point Ethernet link between two devices, of one kernel or two: a plain object of whoever composes them. It is plugged in by
 * `DeviceKind.create(name, { cable, end })` of the module `wire`. What it does to frames is decided by its seed and the frames put on it,
 * one direction without the other, in kernel time.
 */
export class Cable {
  /** Tells it from other objects, in whatever copy of this package. */
  readonly sort = 'softnet:cable';
  readonly name: string;
  readonly ends: readonly [CableEnd, CableEnd];
  #isCut = false;

  /** @throws NetError EINVAL, saying which option. */
  constructor({ name = 'cable', seed = 1, ...settings }: CableOptions = {}) {
    if (!Number.isSafeInteger(seed)) throw new NetError('EINVAL', `cable: seed takes an integer, got ${String(seed)}`);
    this.name = name;
    this.ends = [new CableEnd(this, 0, seed), new CableEnd(this, 1, seed)];
    this.set(settings);
  }

  /** Changes settings, of frames that leave from now on. @param from one end's direction; default both. @throws NetError EINVAL. */
  set(settings: Partial<LineSettings>, from?: 0 | 1): void {
    const ends = from === undefined ? this.ends : [this.ends[from]];
    const changed = ends.map(({ line }) => changedSettings(line.settings, settings));
    for (const [i, { line, port }] of ends.entries()) {
      line.change(changed[i]!);
      port?.changed();
      port?.room();
    }
  }

  /** Settings of the direction away from an end. */
  settings(from: 0 | 1): LineSettings {
    return this.ends[from].line.settings;
  }

  /** What became of frames from an end. */
  counts(from: 0 | 1): Readonly<LineCounts> {
    return this.ends[from].line.counts;
  }

  /** Both ends are plugged into devices that are up, and it is whole. */
  get carrier(): boolean {
    return !this.#isCut && this.ends[0].port?.up === true && this.ends[1].port?.up === true;
  }

  /** No frame passes any more, and what is under way is lost: both devices lose their carrier. */
  cut(): void {
    this.#isCut = true;
    for (const { port } of this.ends) port?.loseFlying();
    this.announce();
  }

  mend(): void {
    this.#isCut = false;
    this.announce();
  }

  /** For ports: the carrier may have changed, or what one of them takes. */
  announce(): void {
    for (const { port } of this.ends) port?.changed();
  }
}
