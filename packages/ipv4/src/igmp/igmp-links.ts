import type { AddressWords, NetDevice, Timer } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import type { SourceFilter } from '@softnet/inet';
import { isNothing } from '@softnet/inet';
import { ALL_HOSTS } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import type { IgmpSender } from './igmp-sender.ts';
import { IgmpMachine } from './machine.ts';
import type { IgmpSettings } from './settings.ts';

/** What the machines of all interfaces work with. */
export interface IgmpLinkParts {
  readonly parts: Ipv4Parts;
  readonly settings: IgmpSettings;
  readonly sender: IgmpSender;
  readonly below: (bound: number) => number;
  /** Stage 1 has begun. */
  readonly isLeaving: () => boolean;
}

/** An interface with groups, or with a querier. */
interface IgmpLink {
  readonly device: NetDevice;
  readonly machine: IgmpMachine;
}

/** A machine for each interface on which IGMP is spoken, and one timer for all of them. */
export class IgmpLinks {
  /** Set once: fires {@link fire}. */
  timer!: Timer;
  readonly #host: IgmpLinkParts;
  readonly #links = new Map<number, IgmpLink>();

  constructor(host: IgmpLinkParts) {
    this.#host = host;
  }

  /** Null: nobody reports there (loopback, no multicast). */
  of(device: NetDevice): IgmpMachine | null {
    if (device.ifindex === 0 || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return null;
    if ((device.flags & DEVICE_FLAG.MULTICAST) === 0) return null;
    const found = this.#links.get(device.ifindex);
    if (found !== undefined) return found.machine;
    const machine = this.#make(device);
    this.#links.set(device.ifindex, { device, machine });
    return machine;
  }

  /** What members want of a group is another. While the device is down, it is said when it comes up. */
  changed(device: NetDevice, group: AddressWords, now: SourceFilter): void {
    if (!this.#isReported(group) && !isNothing(now)) return;
    const machine = this.of(device);
    if (machine === null) return;
    machine.changed(group, now, this.#nowUs);
    if ((device.flags & DEVICE_FLAG.UP) === 0) machine.down();
    // Of a layer that goes each moment may be the last.
    if (this.#host.isLeaving()) machine.timeout(this.#nowUs);
    this.arm();
  }

  up(device: NetDevice): void {
    this.of(device)?.up(this.#nowUs);
    this.arm();
  }

  down(device: NetDevice): void {
    this.#links.get(device.ifindex)?.machine.down();
  }

  drop(device: NetDevice): void {
    this.#links.delete(device.ifindex);
  }

  /** Something may be due sooner. */
  arm(): void {
    let nextUs: number = Number.POSITIVE_INFINITY;
    for (const { machine } of this.#links.values()) nextUs = Math.min(nextUs, machine.nextUs);
    if (nextUs === Number.POSITIVE_INFINITY) this.timer.cancel();
    else if (!this.timer.armed || this.timer.whenUs !== nextUs) this.timer.armAt(nextUs);
  }

  fire(): void {
    const nowUs = this.#nowUs;
    for (const { machine } of this.#links.values()) if (machine.nextUs <= nowUs) machine.timeout(nowUs);
    this.arm();
  }

  /** The layer goes: what was to be said again is not. */
  close(): void {
    this.#links.clear();
    this.timer.cancel();
  }

  get #nowUs(): number {
    return this.#host.parts.clock.nowUs;
  }

  /** Never 224.0.0.1 (RFC 3376 §5); others of 224.0.0.0/24, which switches flood, as it is set. */
  #isReported(group: AddressWords): boolean {
    if (group[3] === ALL_HOSTS) return false;
    return group[3] >>> 8 !== 0xe00000 || this.#host.settings.linkLocalReports.value;
  }

  #make(device: NetDevice): IgmpMachine {
    const { parts, settings, sender, below } = this.#host;
    const { conf } = parts;
    return new IgmpMachine({
      forcedVersion: () => conf.value(device.ifindex, 'force_igmp_version'),
      robustness: () => settings.robustness.value,
      unsolicitedUs: (version) =>
        1000 * conf.value(device.ifindex, version === 3 ? 'igmpv3_unsolicited_report_interval' : 'igmpv2_unsolicited_report_interval'),
      below,
      report: (records) => sender.report(device, records),
      message: (type, group) => sender.message(device, type, group),
    });
  }
}
