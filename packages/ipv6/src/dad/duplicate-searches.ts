import type { Clock, Counter, Flow, InterfaceAddress, Log, Random, Timer } from '@softnet/contract';
import { ADDRESS_FLAG, DEVICE_FLAG, isRunning } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import type { Ipv6Conf } from '../conf.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import { stateOf } from '../machine/address-state.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Link } from '../machine/surroundings.ts';
import type { DetectionPlan, FrozenDetection } from './duplicate-detection.ts';
import { DETECTION, DuplicateDetection, NONCE_BYTES } from './duplicate-detection.ts';
import type { OwnAddressNews } from './own-address-news.ts';

/** RETRANS_TIMER, where no router says another (RFC 4861 §10). */
const RETRANS_TIMER_MS = 1000;
/** A conflict about one address is logged no more often. */
const LOG_INTERVAL_MS = 10_000;

/** What it sends of addresses. */
export interface SearchSender {
  /** Whether anybody else has it (RFC 4862 §5.4.2). @param nonce null: none. */
  probe(address: InterfaceAddress, nonce: Uint8Array | null): void;
  /** To all, that it is here (RFC 4861 §7.2.6). */
  announce(address: InterfaceAddress): void;
  /** After a while, what an anycast address was asked for (RFC 4861 §7.2.7). */
  answerLater(link: Link, flow: Flow, flags: number): void;
}

export interface DuplicateSearchesHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: (fire: () => void) => Timer;
  readonly conf: Ipv6Conf;
  readonly log: Log;
  /** How often another host was heard to have an address of ours. */
  readonly conflicts: Counter;
  readonly linkOf: (ifindex: number) => Ipv6Link | null;
  readonly settled: (address: InterfaceAddress) => void;
  readonly failed: (address: InterfaceAddress) => void;
  /** Something was heard of one that is in use. */
  readonly contested: (address: InterfaceAddress) => void;
}

/** The addresses whose duplicates are looked for, and the timer that they share. Those of a link without carrier wait for it. */
export class DuplicateSearches implements OwnAddressNews {
  readonly #host: DuplicateSearchesHost;
  readonly #timer: Timer;
  readonly #searched = new Set<InterfaceAddress>();
  /** By ifindex. */
  readonly #running = new Set<number>();
  #closed = false;
  sender!: SearchSender;

  constructor(host: DuplicateSearchesHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  /** By settings, device and address (RFC 4862 §5.4). */
  wants({ device, flags }: InterfaceAddress): boolean {
    const { conf } = this.#host;
    if ((device.flags & (DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.NOARP)) !== 0 || (flags & ADDRESS_FLAG.NODAD) !== 0) return false;
    return conf.value(device.ifindex, 'accept_dad') > 0 && conf.value(device.ifindex, 'dad_transmits') > 0;
  }

  /** A tentative one. Nothing is sent before the next turn. @param waitMs before the random delay of RFC 4862 §5.4.2. */
  begin(link: Ipv6Link, address: InterfaceAddress, waitMs = 0): void {
    this.#searched.add(address);
    stateOf(address).detection = this.#detectionOf(address);
    if (this.#isRunning(link)) this.#start(link, address, waitMs);
    this.#arm();
  }

  /** It goes, or its link does; or it is the next generation's. */
  end(address: InterfaceAddress): void {
    if (!this.#searched.delete(address)) return;
    stateOf(address).detection = null;
    this.#arm();
  }

  /** One of the last generation, whose search goes on. */
  adopt(link: Ipv6Link, address: InterfaceAddress, frozen: FrozenDetection | null): void {
    if ((address.flags & (ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED)) !== ADDRESS_FLAG.TENTATIVE) return;
    if (frozen === null) {
      this.begin(link, address);
      return;
    }
    this.#searched.add(address);
    const detection = this.#detectionOf(address);
    stateOf(address).detection = detection;
    detection.thaw(frozen);
    if (this.#isRunning(link) && detection.state === DETECTION.IDLE) this.#start(link, address, 0);
    this.#arm();
  }

  /** Tells the link of one that may be used, where that is wanted (`ndisc_notify`). */
  announce({ device, isUp }: Ipv6Link, address: InterfaceAddress): void {
    if (isUp && isRunning(device) && this.#host.conf.value(device.ifindex, 'ndisc_notify') !== 0) this.sender.announce(address);
  }

  /** The carrier has come or gone: who waits for it begins; who has begun stops, and begins anew later. */
  carrierChanged(link: Ipv6Link): void {
    const { ifindex } = link.device;
    const running = isRunning(link.device);
    if (running === this.#running.has(ifindex)) return;
    if (running) this.#running.add(ifindex);
    else this.#running.delete(ifindex);
    for (const address of link.addresses) {
      if (!this.#searched.has(address)) continue;
      if (running) this.#start(link, address, 0);
      else stateOf(address).detection?.stop();
    }
    this.#arm();
  }

  /** The device has gone for good. */
  linkGone({ device: { ifindex } }: Ipv6Link): void {
    this.#running.delete(ifindex);
  }

  // OwnAddressNews.

  probed(address: InterfaceAddress, bytes: Uint8Array, nonceAt: number, nonceBytes: number): Ipv6Reason {
    const { detection } = stateOf(address);
    if (detection === null) return 'nd.not-ours';
    const isOurs = detection.probed(bytes, nonceAt, nonceBytes);
    this.#arm();
    return isOurs ? 'nd.loop' : 'nd.conflict';
  }

  claimed(address: InterfaceAddress): Ipv6Reason {
    const { detection } = stateOf(address);
    if (detection !== null) {
      detection.claimed();
      this.#arm();
    } else this.#contest(address);
    return 'nd.conflict';
  }

  askedAnycast(link: Link, flow: Flow, flags: number): void {
    this.sender.answerLater(link, flow, flags);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  /** It is ours, and is defended by answers only (RFC 4862 §5.4.4 says nothing of more): somebody is to know. */
  #contest(address: InterfaceAddress): void {
    const { clock, conflicts, contested } = this.#host;
    conflicts.value++;
    const state = stateOf(address);
    const nowMs = clock.nowUs / 1000;
    if (nowMs - state.conflictMs < LOG_INTERVAL_MS) return;
    state.conflictMs = nowMs;
    this.#warn(address, 'another host says that it has it too');
    contested(address);
  }

  #isRunning({ device }: Ipv6Link): boolean {
    if (isRunning(device)) this.#running.add(device.ifindex);
    return isRunning(device);
  }

  #start(link: Ipv6Link, address: InterfaceAddress, waitMs: number): void {
    const { clock } = this.#host;
    stateOf(address).detection?.begin(clock.nowUs, this.#planOf(link, address, waitMs));
  }

  #planOf({ device: { ifindex }, retransMs }: Ipv6Link, { flags }: InterfaceAddress, waitMs: number): DetectionPlan {
    const { conf, random } = this.#host;
    const nonce = conf.value(ifindex, 'enhanced_dad') === 0 ? null : new Uint8Array(NONCE_BYTES);
    if (nonce !== null) random.fill(nonce);
    // MAX_RTR_SOLICITATION_DELAY; an optimistic one does not wait (RFC 4429 §3.1).
    const delayS = (flags & ADDRESS_FLAG.OPTIMISTIC) !== 0 ? 0 : conf.value(ifindex, 'router_solicitation_delay') * random.fraction();
    return {
      transmits: conf.value(ifindex, 'dad_transmits'),
      retransUs: (retransMs || RETRANS_TIMER_MS) * 1000,
      delayUs: Math.floor(waitMs * 1000 + delayS * 1_000_000),
      nonce,
    };
  }

  #detectionOf(address: InterfaceAddress): DuplicateDetection {
    return new DuplicateDetection({
      probe: (nonce) => this.sender.probe(address, nonce),
      looped: () => this.#warn(address, 'our own solicitations come back: the link is a loop, and it stays tentative meanwhile (RFC 7527)'),
      unique: () => {
        this.end(address);
        this.#host.settled(address);
        const link = this.#host.linkOf(address.device.ifindex);
        if (link !== null && address.holdNext !== null) this.announce(link, address);
      },
      duplicate: () => {
        this.end(address);
        this.#host.conflicts.value++;
        this.#warn(address, 'another host has it, or wants it too: it is not used (RFC 4862 §5.4.5)');
        this.#host.failed(address);
      },
    });
  }

  #warn({ address, device }: InterfaceAddress, why: string): void {
    this.#host.log.warn(`${formatIpv6(...address)} on ${device.name}: ${why}`);
  }

  #timeout(): void {
    const { nowUs } = this.#host.clock;
    for (const address of [...this.#searched]) stateOf(address).detection?.timeout(nowUs);
    this.#arm();
  }

  #arm(): void {
    let dueUs = Number.POSITIVE_INFINITY;
    for (const address of this.#searched) dueUs = Math.min(dueUs, stateOf(address).detection?.dueUs ?? dueUs);
    if (this.#closed || dueUs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.armAt(Math.ceil(dueUs));
  }
}
