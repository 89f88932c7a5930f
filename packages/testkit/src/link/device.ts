import type { Clock, Plain, Timer } from '@softnet/contract';
import { Held, NetError } from '@softnet/contract';
import type { CableEnd, CablePort } from './cable.ts';
import type { LinkPort } from './service.ts';

/** What a port asks of its link. */
export interface PortHost {
  readonly clock: Clock;
  /** So many frames more (or fewer) fly towards a port. */
  flying(change: number): void;
  timerFor(port: Port): Timer;
  unplugged(port: Port): void;
}

/** Where a cable is plugged in. */
export class Port extends Held implements LinkPort, CablePort {
  readonly address: number;
  end: CableEnd | null = null;
  /** Fires when the next frame arrives. */
  readonly timer: Timer;
  readonly #host: PortHost;

  constructor(host: PortHost, address: number) {
    super();
    this.#host = host;
    this.address = address;
    this.timer = host.timerFor(this);
  }

  get nowUs(): number {
    return this.#host.clock.nowUs;
  }

  attach(end: CableEnd): void {
    this.end = end;
    this.#host.flying(end.count);
    this.expect();
  }

  coming(): void {
    this.#host.flying(1);
    this.expect();
  }

  /** Takes one frame that has arrived. */
  take(): Uint8Array | undefined {
    const frame = this.end?.take(this.nowUs);
    if (frame !== undefined) this.#host.flying(-1);
    return frame;
  }

  /** Wakes when the next frame arrives. */
  expect(): void {
    const nextUs = this.end?.nextUs ?? Number.POSITIVE_INFINITY;
    if (nextUs === Number.POSITIVE_INFINITY) this.timer.cancel();
    else if (!this.timer.armed || this.timer.whenUs > nextUs) this.timer.armAt(nextUs);
  }

  /** The end stays in the cable, for the next generation. */
  leave(): void {
    this.timer.cancel();
    this.#host.flying(-(this.end?.count ?? 0));
    this.end = null;
  }

  unplug(): void {
    const { end } = this;
    this.leave();
    if (end !== null) end.cable.unplug(end);
    this.#host.unplugged(this);
  }

  frozen(): { readonly version: number; readonly data: Plain } {
    return { version: 1, data: { address: this.address } };
  }
}

/** @throws NetError EINVAL. */
export function checkAddress(address: number): number {
  if (Number.isInteger(address) && address > 0 && address < 0xffff) return address;
  throw new NetError('EINVAL', `an address is an integer from 1 to 65534, got ${address}`);
}
