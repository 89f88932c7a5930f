import type { AddressWords, Clock, NetDevice, Timer } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import type { SourceFilter } from './group-filter.ts';
import { isNothing, NOTHING } from './group-filter.ts';
import type { ReporterHost } from './group-reporter.ts';
import { GroupReporter } from './group-reporter.ts';

/** What the reporters of all interfaces work with. */
export interface ReportersHost {
  readonly clock: Clock;
  /** Stage 1 has begun. */
  isLeaving(): boolean;
  /** Is the link told of this group? */
  isReported(device: NetDevice, group: AddressWords): boolean;
  /** What the reporter of a device asks for. */
  hostOf(device: NetDevice): ReporterHost;
}

/** An interface with groups, or with a querier. */
interface Interface {
  readonly device: NetDevice;
  readonly reporter: GroupReporter;
}

/** A reporter for each interface on which IGMP or MLD is spoken, and one timer for all of them. */
export class GroupReporters {
  /** Set once: fires {@link fire}. */
  timer!: Timer;
  readonly #host: ReportersHost;
  readonly #interfaces = new Map<number, Interface>();

  constructor(host: ReportersHost) {
    this.#host = host;
  }

  /** Null: nobody reports there (loopback, no multicast). */
  of(device: NetDevice): GroupReporter | null {
    if (device.ifindex === 0 || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return null;
    if ((device.flags & DEVICE_FLAG.MULTICAST) === 0) return null;
    const found = this.#interfaces.get(device.ifindex);
    if (found !== undefined) return found.reporter;
    const reporter = new GroupReporter(this.#host.hostOf(device));
    this.#interfaces.set(device.ifindex, { device, reporter });
    return reporter;
  }

  /** What members want of a group is another. While the device is down, it is said when it comes up. */
  changed(device: NetDevice, group: AddressWords, now: SourceFilter): void {
    if (!this.#host.isReported(device, group) && !isNothing(now)) return;
    const reporter = this.of(device);
    if (reporter === null) return;
    reporter.changed(group, now, this.#nowUs);
    if ((device.flags & DEVICE_FLAG.UP) === 0) reporter.down();
    // Of a layer that goes each moment may be the last.
    if (this.#host.isLeaving()) reporter.timeout(this.#nowUs);
    this.arm();
  }

  /** Whether the link is told of the group may be another: it is told of it now, as of a new one, or no more, without a word. */
  reportedChanged(device: NetDevice, group: AddressWords, now: SourceFilter): void {
    if (!this.#host.isReported(device, group)) this.passedOn(device, group, NOTHING);
    else if (this.#interfaces.get(device.ifindex)?.reporter.has(group) !== true) this.changed(device, group, now);
  }

  /** The same, and another generation says it. */
  passedOn(device: NetDevice, group: AddressWords, now: SourceFilter): void {
    this.#interfaces.get(device.ifindex)?.reporter.passedOn(group, now);
  }

  up(device: NetDevice): void {
    this.of(device)?.up(this.#nowUs);
    this.arm();
  }

  /** All groups of the device are said anew. */
  again(device: NetDevice): void {
    this.#interfaces.get(device.ifindex)?.reporter.again(this.#nowUs);
    this.arm();
  }

  down(device: NetDevice): void {
    this.#interfaces.get(device.ifindex)?.reporter.down();
  }

  drop(device: NetDevice): void {
    this.#interfaces.delete(device.ifindex);
  }

  /** Something may be due sooner. */
  arm(): void {
    let nextUs: number = Number.POSITIVE_INFINITY;
    for (const { reporter } of this.#interfaces.values()) nextUs = Math.min(nextUs, reporter.nextUs);
    if (nextUs === Number.POSITIVE_INFINITY) this.timer.cancel();
    else if (!this.timer.armed || this.timer.whenUs !== nextUs) this.timer.armAt(nextUs);
  }

  fire(): void {
    const nowUs = this.#nowUs;
    for (const { reporter } of this.#interfaces.values()) if (reporter.nextUs <= nowUs) reporter.timeout(nowUs);
    this.arm();
  }

  /** The layer goes: what was to be said again is not. */
  close(): void {
    this.#interfaces.clear();
    this.timer.cancel();
  }

  get #nowUs(): number {
    return this.#host.clock.nowUs;
  }
}
