import type { Held, Notice, Owner, Random } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { WireTrace } from '../wire-trace.ts';

/** What a cable does to frames. It may be changed while frames fly. */
export interface CableFaults {
  /** From end to end, µs. */
  delayUs: number;
  /** Up to so much more, evenly spread, µs: enough of it reorders. */
  jitterUs: number;
  /** Fractions of frames, 0 to 1. */
  loss: number;
  duplicate: number;
  /** A reordered frame is overtaken: it takes `delayUs` four times. */
  reorder: number;
}

/** What a cable takes. */
export interface CableOptions extends Partial<CableFaults> {
  /** Its chance: `world.random.fork('cable')`. */
  readonly random: Random;
  readonly name?: string;
}

/** What a cable needs of the port that it is plugged into. */
export interface CablePort {
  /** The time of the receiver's kernel, µs. */
  readonly nowUs: number;
  /** A frame is on its way to this port. */
  coming(end: CableEnd): void;
  /** The end is (again) in a port: take the frames that fly. */
  attach(end: CableEnd): void;
  unplug(): void;
}

interface Flying {
  readonly atUs: number;
  readonly frame: Uint8Array;
}

/** One end of a cable, with the frames that fly towards it. They are the cable's: they survive a hand-over of the link. */
export class CableEnd {
  readonly cable: Cable;
  readonly address: number;
  port: CablePort | null;
  #flying: Flying[] = [];

  constructor(cable: Cable, address: number, port: CablePort) {
    this.cable = cable;
    this.address = address;
    this.port = port;
  }

  get count(): number {
    return this.#flying.length;
  }

  /** When the next frame arrives, µs; Infinity without one. */
  get nextUs(): number {
    return this.#flying[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  push(frame: Uint8Array, delayUs: number): void {
    if (this.port === null) return;
    const atUs = this.port.nowUs + delayUs;
    let at = this.#flying.length;
    while (at > 0 && this.#flying[at - 1]!.atUs > atUs) at--;
    this.#flying.splice(at, 0, { atUs, frame });
    this.port.coming(this);
  }

  /** The next frame that has arrived, if any. */
  take(nowUs: number): Uint8Array | undefined {
    return this.nextUs <= nowUs ? this.#flying.shift()?.frame : undefined;
  }
}

/**
 * Joins the links of two or more kernels: a plain object between them. It owns the ports that it is plugged into, and
 * so is told when one moves to the next generation of its link, or closes.
 */
export class Cable implements Owner {
  readonly name: string;
  readonly faults: CableFaults;
  sent = 0;
  lost = 0;
  readonly #trace = new WireTrace();
  readonly #random: Random;
  readonly #ends = new Map<number, CableEnd>();

  constructor({ random, name = 'cable', ...faults }: CableOptions) {
    this.name = name;
    this.#random = random;
    this.faults = { delayUs: 100, jitterUs: 0, loss: 0, duplicate: 0, reorder: 0, ...faults };
  }

  /** A number made from every frame put on it, in order, and its time: equal runs have equal traces. */
  get trace(): number {
    return this.#trace.value;
  }

  /** For links. @throws NetError EADDRINUSE. */
  plug(address: number, port: CablePort): CableEnd {
    if (this.#ends.has(address)) throw new NetError('EADDRINUSE', `${this.name} has an end with address ${address} already`);
    const end = new CableEnd(this, address, port);
    this.#ends.set(address, end);
    return end;
  }

  /** For links. */
  unplug(end: CableEnd): void {
    end.port = null;
    if (this.#ends.get(end.address) === end) this.#ends.delete(end.address);
  }

  /** Takes it out of every port that it is in. */
  pull(): void {
    for (const { port } of [...this.#ends.values()]) port?.unplug();
  }

  reaches(address: number): boolean {
    return this.#ends.has(address);
  }

  /** Sends the frame to every other end. It keeps `frame`: nobody may write to it any more. */
  transmit(from: CableEnd, frame: Uint8Array): void {
    this.#trace.add(frame, from.port?.nowUs ?? 0);
    for (const end of this.#ends.values()) {
      if (end === from) continue;
      this.sent++;
      if (this.#random.fraction() < this.faults.loss) {
        this.lost++;
        continue;
      }
      end.push(frame, this.#delayUs());
      if (this.#random.fraction() < this.faults.duplicate) end.push(frame, this.#delayUs());
    }
  }

  /** Puts a frame, of whatever bytes, on the way to one end: for tests of what bad bytes do. */
  inject(address: number, frame: Uint8Array): void {
    this.#ends.get(address)?.push(frame, this.#delayUs());
  }

  notice({ sort, object }: Notice): void {
    if (sort !== 'moved') return;
    const port = object as Held & CablePort & { readonly address: number };
    const end = this.#ends.get(port.address);
    if (end === undefined) return;
    end.port = port;
    port.attach(end);
  }

  #delayUs(): number {
    const { delayUs, jitterUs, reorder } = this.faults;
    const base = this.#random.fraction() < reorder ? 4 * delayUs : delayUs;
    return base + (jitterUs > 0 ? this.#random.below(jitterUs) : 0);
  }
}
