import type { Clock, CurrentOwner, DeviceTraffic, DropReason, Neighbour, NetDevice, Port, Skb, Timer } from '@softnet/contract';
import { NEIGHBOUR_STATE, NEIGHBOUR_UPDATE, SKB_FLAG, TRANSMIT } from '@softnet/contract';
import type { NeighbourConfName } from './neighbour-settings.ts';
import type { WaitingPackets } from './waiting-packets.ts';

const { NONE, INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT } = NEIGHBOUR_STATE;

/** States that no news from the link changes. */
const FIXED = NOARP | PERMANENT;

interface NeighbourReasons {
  readonly gone: DropReason;
  readonly noRoom: DropReason;
  readonly tableFull: DropReason;
}

/** How to ask for neighbours of a family: its protocol, with the owner noted. */
export interface Asking {
  /** False: no protocol knows the family now. */
  solicit(neighbour: Neighbour, skb: Skb | null): boolean;
  failed(neighbour: Neighbour, skb: Skb): void;
  reachableMs(neighbour: Neighbour): number;
  retransMs(neighbour: Neighbour): number;
}

export interface NeighbourStatesParts {
  readonly clock: Clock;
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
  /** What is in force on its device. */
  readonly setting: (neighbour: Neighbour, name: NeighbourConfName) => number;
  readonly waiting: (family: number) => WaitingPackets;
  readonly reasons: NeighbourReasons;
  readonly asking: Asking;
  /** It has another state or link address now. */
  readonly changed: (neighbour: Neighbour) => void;
  /** Something waits for it again. */
  readonly waited: (neighbour: Neighbour) => void;
  /** Fires by {@link NeighbourStates.timeout}. */
  readonly timer: (neighbour: Neighbour) => Timer;
  /** The living neighbour in the place of one that is not in the table any more. */
  readonly again: (dead: Neighbour) => Neighbour | null;
}

type Output = Neighbour['output'];

/** Reachability detection: RFC 4861 §7.3.3 and Appendix C, for ARP too. The only place that changes `neighbour.state`. */
export class NeighbourStates {
  readonly #parts: NeighbourStatesParts;
  /** What `neighbour.output` may be: one function for each, shared by all. */
  readonly #connected: Output = (neighbour, skb) => this.#send(neighbour, skb);
  readonly #suspected: Output = (neighbour, skb) => {
    this.#enter(neighbour, DELAY);
    this.#arm(neighbour, this.#parts.setting(neighbour, 'delay_first_probe_time') * 1000);
    return this.#send(neighbour, skb);
  };
  readonly #unknown: Output = (neighbour, skb) => this.#wait(neighbour, skb);
  /** Somebody kept a neighbour that is not in the table any more. */
  readonly #dead: Output = (neighbour, skb) => this.#sendAgain(neighbour, skb);

  constructor(parts: NeighbourStatesParts) {
    this.#parts = parts;
  }

  /** Of a neighbour that was just made. */
  get begun(): Output {
    return this.#unknown;
  }

  /** A new one. @param state NONE or NOARP. */
  place(neighbour: Neighbour, state: number): void {
    neighbour.updatedMs = this.#parts.clock.nowMs;
    this.resume(neighbour, state, -1);
  }

  /** One of the last generation goes on where it was. @param leftUs until its timer fires; -1: it was not armed. */
  resume(neighbour: Neighbour, state: number, leftUs: number): void {
    neighbour.state = state;
    neighbour.output = this.#outputIn(state);
    if (leftUs < 0) return;
    neighbour.timer ??= this.#parts.timer(neighbour);
    neighbour.timer.arm(leftUs);
  }

  /** Its link address by an administrator. What waits is sent. @param state PERMANENT, NOARP, REACHABLE or STALE. */
  fix(neighbour: Neighbour, linkAddress: Uint8Array, state: number): void {
    neighbour.linkAddress.set(linkAddress);
    neighbour.timer?.cancel();
    neighbour.state = NONE;
    if (state === REACHABLE) this.#reachable(neighbour);
    else this.#enter(neighbour, state);
    this.#flush(neighbour);
  }

  /** It was heard (RFC 4861 §7.2.3, §7.2.5). */
  heard(neighbour: Neighbour, bytes: Uint8Array, offset: number, bits: number): void {
    const { state, isRouter } = neighbour;
    if ((state & FIXED) !== 0 || ((bits & NEIGHBOUR_UPDATE.ANSWER) !== 0 && (state === NONE || state === FAILED))) return;
    const solicited = (bits & NEIGHBOUR_UPDATE.SOLICITED) !== 0;
    const known = isKnown(state);
    const differs = !known || !isAddress(neighbour, bytes, offset);
    if (known && differs && (bits & NEIGHBOUR_UPDATE.OVERRIDE) === 0) {
      if (state === REACHABLE) this.#enter(neighbour, STALE);
      return;
    }
    if (differs && solicited && this.#isLocked(neighbour)) return;
    if (differs) copyAddress(neighbour, bytes, offset);
    // A solicitation says nothing about routers; their own advertisements do (RFC 4861 §6.3.4).
    if ((bits & NEIGHBOUR_UPDATE.IS_ROUTER) !== 0) neighbour.isRouter = true;
    else if ((bits & NEIGHBOUR_UPDATE.CREATE) === 0) neighbour.isRouter = false;
    if (solicited) this.#reachable(neighbour);
    else if (differs) this.#enter(neighbour, STALE);
    if (neighbour.state === state && (differs || isRouter !== neighbour.isRouter)) this.#parts.changed(neighbour);
    this.#flush(neighbour);
  }

  /** As {@link heard}, of a message that names no link address (RFC 4861 §4.4): whoever answers has the one that is known. False: none is. */
  heardWithout(neighbour: Neighbour, bits: number): boolean {
    if ((neighbour.state & FIXED) !== 0) return true;
    if (!isKnown(neighbour.state)) return false;
    this.heard(neighbour, neighbour.linkAddress, 0, bits);
    return true;
  }

  /** Forward progress (RFC 4861 §7.3.1). */
  confirm(neighbour: Neighbour): void {
    if (isKnown(neighbour.state) && (neighbour.state & FIXED) === 0) this.#reachable(neighbour);
  }

  /** Who was asked in vain while the link was down is asked now, and not at the next try. */
  askAgain(neighbour: Neighbour): void {
    if (neighbour.state !== INCOMPLETE) return;
    neighbour.probes = 0;
    this.#ask(neighbour);
  }

  /** Its timer has fired. */
  timeout(neighbour: Neighbour): void {
    const { clock, asking } = this.#parts;
    if (neighbour.state === REACHABLE) {
      // Confirmations only note the time; the timer finds out how long it has been.
      const leftMs = asking.reachableMs(neighbour) - ((clock.nowMs - neighbour.confirmedMs) | 0);
      if (leftMs > 0) this.#arm(neighbour, leftMs);
      else this.#enter(neighbour, STALE);
    } else if (neighbour.state === DELAY) {
      neighbour.probes = 0;
      this.#enter(neighbour, PROBE);
      this.#ask(neighbour);
    } else if (neighbour.state === PROBE || neighbour.state === INCOMPLETE) {
      const most = this.#parts.setting(neighbour, neighbour.state === PROBE ? 'ucast_solicit' : 'mcast_solicit');
      if (neighbour.probes < most) this.#ask(neighbour);
      else this.fail(neighbour);
    }
  }

  /** It is out of the table: who has kept it is led to the one that takes its place. What waits is the caller's. */
  end(neighbour: Neighbour): void {
    neighbour.timer?.cancel();
    neighbour.timer = null;
    neighbour.state = NONE;
    neighbour.output = this.#dead;
  }

  /** Nobody answers: who waits is told. What its protocol says about the packets may lead back here, so they are taken out before. */
  fail(neighbour: Neighbour): void {
    const waiting = this.#parts.waiting(neighbour.family);
    neighbour.linkAddress.fill(0);
    this.#enter(neighbour, FAILED);
    for (let left = neighbour.queue.lenPackets; left > 0; left--) {
      const skb = waiting.take(neighbour);
      if (skb !== null) this.#parts.asking.failed(neighbour, skb);
    }
  }

  #enter(neighbour: Neighbour, state: number): void {
    neighbour.state = state;
    neighbour.updatedMs = this.#parts.clock.nowMs;
    neighbour.output = this.#outputIn(state);
    if (state === STALE || state === FAILED) neighbour.timer?.cancel();
    this.#parts.changed(neighbour);
  }

  #outputIn(state: number): Output {
    if (!isKnown(state)) return this.#unknown;
    return state === STALE ? this.#suspected : this.#connected;
  }

  #reachable(neighbour: Neighbour): void {
    neighbour.confirmedMs = this.#parts.clock.nowMs;
    if (neighbour.state === REACHABLE) return;
    neighbour.probes = 0;
    this.#enter(neighbour, REACHABLE);
    this.#arm(neighbour, this.#parts.asking.reachableMs(neighbour));
  }

  /** Of several answers the first counts, for a while: a host and one that answers for it, say. Linux's `locktime`. */
  #isLocked(neighbour: Neighbour): boolean {
    const { clock, setting } = this.#parts;
    return neighbour.state === REACHABLE && ((clock.nowMs - neighbour.confirmedMs) | 0) < setting(neighbour, 'locktime') * 10;
  }

  /** RFC 4861 §7.2.2: packets wait, in order; the oldest goes when there are too many, and the sender is told to send less. */
  #wait(neighbour: Neighbour, skb: Skb): number {
    const fits = this.#parts.waiting(neighbour.family).add(neighbour, skb);
    neighbour.usedMs = this.#parts.clock.nowMs;
    if (neighbour.state !== INCOMPLETE) {
      neighbour.probes = 0;
      this.#enter(neighbour, INCOMPLETE);
      this.#ask(neighbour);
    } else if (neighbour.queue.lenPackets === 1) this.#parts.waited(neighbour);
    return fits ? TRANSMIT.OK : TRANSMIT.CONGESTED;
  }

  #ask(neighbour: Neighbour): void {
    const { asking } = this.#parts;
    neighbour.probes++;
    this.#arm(neighbour, asking.retransMs(neighbour));
    if (!asking.solicit(neighbour, neighbour.queue.first)) this.fail(neighbour);
  }

  #flush(neighbour: Neighbour): void {
    const waiting = this.#parts.waiting(neighbour.family);
    for (let left = neighbour.queue.lenPackets; left > 0; left--) {
      const skb = waiting.take(neighbour);
      if (skb !== null) neighbour.output(neighbour, skb);
    }
  }

  /** The link header, and out. */
  #send(neighbour: Neighbour, skb: Skb): number {
    const { clock, traffic, current, reasons } = this.#parts;
    const { device } = neighbour;
    if ((skb.flags & SKB_FLAG.CONFIRM_NEIGHBOUR) !== 0) this.confirm(neighbour);
    neighbour.usedMs = clock.nowMs;
    const { pool } = skb.memory;
    if (!pool.makeRoom(skb, roomOf(device), 0)) {
      pool.drop(skb, reasons.noRoom);
      return TRANSMIT.DROPPED;
    }
    device.link.write(skb, device, skb.protocol, neighbour.linkAddress, null);
    skb.dst = null;
    const caller = current.id;
    current.id = traffic.owner;
    const result = traffic.current.transmit(device, skb);
    current.id = caller;
    return result;
  }

  #sendAgain(dead: Neighbour, skb: Skb): number {
    const neighbour = this.#parts.again(dead);
    if (neighbour === null || neighbour === dead) {
      skb.memory.pool.drop(skb, this.#parts.reasons.tableFull);
      return TRANSMIT.DROPPED;
    }
    // The dst that led here learns it: the next packet takes the short way.
    if (skb.dst !== null && skb.dst.neighbour === dead) skb.dst.neighbour = neighbour;
    return neighbour.output(neighbour, skb);
  }

  #arm(neighbour: Neighbour, delayMs: number): void {
    neighbour.timer ??= this.#parts.timer(neighbour);
    neighbour.timer.arm(delayMs * 1000);
  }
}

/** Whether its link address is known in this state. */
function isKnown(state: number): boolean {
  return state !== NONE && (state & (INCOMPLETE | FAILED)) === 0;
}

/** Link and driver say how much; a driver that says nothing gets the header. */
function roomOf({ headroomBytes, link }: NetDevice): number {
  return headroomBytes > link.headerBytes ? headroomBytes : link.headerBytes;
}

function isAddress({ linkAddress }: Neighbour, bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < linkAddress.length; i++) if (linkAddress[i] !== bytes[offset + i]) return false;
  return true;
}

function copyAddress({ linkAddress }: Neighbour, bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < linkAddress.length; i++) linkAddress[i] = bytes[offset + i]!;
}
