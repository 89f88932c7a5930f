import type { Clock, InterfaceAddress, NetDevice, Random, Timer } from '@softnet/contract';
import { DEVICE_EVENT, isRunning } from '@softnet/contract';
import type { ArpSender } from '../arp/arp-sender.ts';
import { hasArp } from '../arp/arp-sender.ts';
import { isUsable, wordOf } from '../machine/address-book.ts';
import type { FrozenClaim } from './conflict-detection.ts';
import { CLAIM, ConflictDetection, ConflictRate } from './conflict-detection.ts';

export interface AddressClaimsHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly arp: ArpSender;
  readonly timer: (fire: () => void) => Timer;
  /** It is probed for anew: tentative until that is over. */
  readonly probed: (entry: InterfaceAddress) => void;
  /** Nobody else has it. */
  readonly claimed: (entry: InterfaceAddress) => void;
  /** Somebody else has it: not to be used. */
  readonly lost: (entry: InterfaceAddress) => void;
}

interface Claim {
  readonly entry: InterfaceAddress;
  readonly detection: ConflictDetection;
}

/** The addresses of this host that are looked after by RFC 5227, and the timer that they share. */
export class AddressClaims {
  readonly #host: AddressClaimsHost;
  readonly #timer: Timer;
  /** Replaced whole. */
  #claims: readonly Claim[] = [];
  /** By ifindex. */
  readonly #rates = new Map<number, ConflictRate>();
  readonly #running = new Set<number>();
  #closed = false;

  constructor(host: AddressClaimsHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  /** Looks after a new one, which is tentative. @param defence one of `DEFENCE`. Where its device is down, it is probed for when that comes up. */
  begin(entry: InterfaceAddress, defence: number): void {
    const claim = this.#add(entry, defence);
    if (isRunning(entry.device)) this.#probe(claim);
    this.#arm();
  }

  /** One of the last generation: its claim goes on. @param frozen null: that one kept none. */
  adopt(entry: InterfaceAddress, defence: number, frozen: FrozenClaim | null): void {
    const claim = this.#add(entry, defence);
    if (isRunning(entry.device)) this.#running.add(entry.device.ifindex);
    if (frozen !== null) claim.detection.thaw(frozen);
    else if (isUsable(entry)) claim.detection.claim(this.#host.clock.nowUs, false);
    else if (isRunning(entry.device)) this.#probe(claim);
    this.#arm();
  }

  /** The defence, and where the claim stands; null: nobody looks after it. */
  freeze(entry: InterfaceAddress): { readonly defence: number; readonly claim: FrozenClaim } | null {
    const found = this.#claims.find((claim) => claim.entry === entry);
    if (found === undefined) return null;
    return { defence: found.detection.defence, claim: found.detection.freeze() };
  }

  /** Whether it is looked after. */
  has(entry: InterfaceAddress): boolean {
    return this.#claims.some((claim) => claim.entry === entry);
  }

  end(entry: InterfaceAddress): void {
    if (!this.has(entry)) return;
    this.#claims = this.#claims.filter((claim) => claim.entry !== entry);
    this.#arm();
  }

  /**
   * ARP was heard whose sender is another host. True: it used an address that is looked after, or that this host is about to take.
   * @param sender 0: a probe. Allocates nothing.
   */
  heard(device: NetDevice, sender: number, target: number): boolean {
    const claims = this.#claims;
    let isConflict = false;
    for (let i = 0; i < claims.length; i++) {
      const { entry, detection } = claims[i]!;
      if (entry.device !== device || entry.holdNext === null) continue;
      const word = wordOf(entry);
      if (sender === word && detection.state !== CLAIM.IDLE) {
        isConflict = true;
        detection.used(this.#host.clock.nowUs);
      } else if (sender === 0 && target === word && detection.state === CLAIM.PROBING) {
        isConflict = true;
        detection.probed();
      }
    }
    if (isConflict) this.#arm();
    return isConflict;
  }

  /**
   * Something has become of a device. When its link has come, what is there is probed for anew (RFC 5227 §2.1). Returns whether it has.
   * @param event one of `DEVICE_EVENT`. What is registered with its link is no news: others were told of it.
   */
  deviceChanged(device: NetDevice, event: number): boolean {
    const { ifindex } = device;
    const running = isRunning(device);
    if (running === this.#running.has(ifindex)) return false;
    if (running) this.#running.add(ifindex);
    else this.#running.delete(ifindex);
    for (const claim of this.#claims) {
      if (claim.entry.device !== device || claim.entry.holdNext === null) continue;
      if (!running) claim.detection.stop();
      else if (claim.detection.state === CLAIM.IDLE) {
        this.#host.probed(claim.entry);
        this.#probe(claim);
      }
    }
    this.#arm();
    return running && event !== DEVICE_EVENT.REGISTER;
  }

  /** The device has gone for good. */
  deviceGone({ ifindex }: NetDevice): void {
    this.#rates.delete(ifindex);
    this.#running.delete(ifindex);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  #add(entry: InterfaceAddress, defence: number): Claim {
    const { arp, random } = this.#host;
    const detection = new ConflictDetection(defence, {
      probe: () => arp.probe(entry.device, wordOf(entry)),
      announce: () => arp.announce(entry.device, wordOf(entry)),
      claimed: () => {
        this.#rateOf(entry.device).claimed();
        this.#host.claimed(entry);
      },
      lost: () => {
        this.#rateOf(entry.device).conflict();
        this.#host.lost(entry);
      },
      fraction: () => random.fraction(),
    });
    const claim = { entry, detection };
    this.#claims = [...this.#claims.filter((other) => other.entry !== entry), claim];
    return claim;
  }

  #probe({ entry, detection }: Claim): void {
    const { device } = entry;
    this.#running.add(device.ifindex);
    const { nowUs } = this.#host.clock;
    // Where nobody can be asked, nobody else has it.
    if (hasArp(device)) detection.begin(nowUs, this.#rateOf(device).next(nowUs));
    else {
      detection.claim(nowUs, false);
      this.#host.claimed(entry);
    }
  }

  #rateOf({ ifindex }: NetDevice): ConflictRate {
    let rate = this.#rates.get(ifindex);
    if (rate === undefined) {
      rate = new ConflictRate();
      this.#rates.set(ifindex, rate);
    }
    return rate;
  }

  #timeout(): void {
    for (const { entry, detection } of this.#claims) if (entry.holdNext !== null) detection.timeout(this.#host.clock.nowUs);
    this.#arm();
  }

  #arm(): void {
    let dueUs = Number.POSITIVE_INFINITY;
    for (const { entry, detection } of this.#claims) if (entry.holdNext !== null) dueUs = Math.min(dueUs, detection.dueUs);
    if (this.#closed || dueUs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.armAt(Math.ceil(dueUs));
  }
}
