const SECOND_US = 1_000_000;

/** RFC 5227 §1.1, in µs where it is a time. */
export const ACD = Object.freeze({
  PROBE_WAIT_US: SECOND_US,
  PROBE_NUM: 3,
  PROBE_MIN_US: SECOND_US,
  PROBE_MAX_US: 2 * SECOND_US,
  ANNOUNCE_WAIT_US: 2 * SECOND_US,
  ANNOUNCE_NUM: 2,
  ANNOUNCE_INTERVAL_US: 2 * SECOND_US,
  MAX_CONFLICTS: 10,
  RATE_LIMIT_INTERVAL_US: 60 * SECOND_US,
  DEFEND_INTERVAL_US: 10 * SECOND_US,
} as const);

/** Where the claim to an address stands. */
export const CLAIM = Object.freeze({
  /** Nothing happens: the device is down, or the address was lost. */
  IDLE: 0,
  /** Probes are sent, or what they call forth is waited for (§2.1.1). */
  PROBING: 1,
  /** In use, and being told to all (§2.3). */
  ANNOUNCING: 2,
  /** In use. */
  CLAIMED: 3,
} as const);

/** What is done when another host uses the address (§2.4). */
export const DEFENCE = Object.freeze({
  /** (a): give it up at once. */
  NONE: 1,
  /** (b): announce it once; give it up at the next conflict within 10 seconds. */
  ONCE: 2,
  /** (c): never give it up; announce it no more often than every 10 seconds. */
  ALWAYS: 3,
} as const);

/** What the claim does. */
export interface ClaimActions {
  probe(): void;
  announce(): void;
  /** Nobody else has it: it may be used. It is announced next. */
  claimed(): void;
  /** Another host has it. */
  lost(): void;
  /** A fraction of chance: 0 ≤ x < 1. */
  fraction(): number;
}

/** Address conflict detection (RFC 5227) for one address. No clock of its own: {@link dueUs} says when {@link timeout} is wanted. */
export class ConflictDetection {
  /** One of {@link CLAIM}. */
  state: number = CLAIM.IDLE;
  /** One of {@link DEFENCE}. */
  defence: number;
  /** Kernel µs; Infinity: it waits for nothing. */
  dueUs = Number.POSITIVE_INFINITY;
  readonly #actions: ClaimActions;
  #sent = 0;
  #conflictUs = Number.NEGATIVE_INFINITY;

  constructor(defence: number, actions: ClaimActions) {
    this.defence = defence;
    this.#actions = actions;
  }

  /** §2.1.1. @param notBeforeUs when probing may begin, after too many conflicts. */
  begin(nowUs: number, notBeforeUs = nowUs): void {
    this.state = CLAIM.PROBING;
    this.#sent = 0;
    this.dueUs = Math.max(nowUs, notBeforeUs) + this.#actions.fraction() * ACD.PROBE_WAIT_US;
  }

  /** It is in use already. @param announces it is told to all that it is here (§2.3). */
  claim(nowUs: number, announces: boolean): void {
    this.state = CLAIM.CLAIMED;
    this.dueUs = Number.POSITIVE_INFINITY;
    if (announces) this.#announceFirst(nowUs);
  }

  /** Nothing more is sent: the device is down, or the address goes. */
  stop(): void {
    this.state = CLAIM.IDLE;
    this.dueUs = Number.POSITIVE_INFINITY;
  }

  timeout(nowUs: number): void {
    if (nowUs < this.dueUs) return;
    if (this.state === CLAIM.PROBING) this.#probe(nowUs);
    else this.#announce(nowUs);
  }

  /** Another host probes for the address too: only before it is ours is that a conflict (§2.1.1). */
  probed(): void {
    if (this.state === CLAIM.PROBING) this.#lose();
  }

  /** A packet of another host carried it as its sender's. */
  used(nowUs: number): void {
    if (this.state === CLAIM.IDLE) return;
    if (this.state === CLAIM.PROBING) this.#lose();
    else this.#defend(nowUs);
  }

  /** For the next generation. */
  freeze(): FrozenClaim {
    const { state, dueUs } = this;
    return { state, dueUs, sent: this.#sent, conflictUs: this.#conflictUs };
  }

  thaw(frozen: FrozenClaim): void {
    this.state = frozen.state;
    this.dueUs = frozen.dueUs;
    this.#sent = frozen.sent;
    this.#conflictUs = frozen.conflictUs;
  }

  #probe(nowUs: number): void {
    if (this.#sent === ACD.PROBE_NUM) {
      this.#actions.claimed();
      this.#announceFirst(nowUs);
      return;
    }
    this.#sent++;
    const spreadUs = ACD.PROBE_MAX_US - ACD.PROBE_MIN_US;
    const untilNextUs = ACD.PROBE_MIN_US + this.#actions.fraction() * spreadUs;
    this.dueUs = nowUs + (this.#sent === ACD.PROBE_NUM ? ACD.ANNOUNCE_WAIT_US : untilNextUs);
    this.#actions.probe();
  }

  #announceFirst(nowUs: number): void {
    this.state = CLAIM.ANNOUNCING;
    this.#sent = 0;
    this.#announce(nowUs);
  }

  #announce(nowUs: number): void {
    this.#sent++;
    const isLast = this.#sent >= ACD.ANNOUNCE_NUM;
    if (isLast) this.state = CLAIM.CLAIMED;
    this.dueUs = isLast ? Number.POSITIVE_INFINITY : nowUs + ACD.ANNOUNCE_INTERVAL_US;
    this.#actions.announce();
  }

  #defend(nowUs: number): void {
    const isFirst = nowUs - this.#conflictUs >= ACD.DEFEND_INTERVAL_US;
    if (this.defence === DEFENCE.NONE || (this.defence === DEFENCE.ONCE && !isFirst)) {
      this.#lose();
      return;
    }
    // (c) counts from its last defence, else a steady conflict would never be answered again.
    if (!isFirst) return;
    this.#conflictUs = nowUs;
    this.#actions.announce();
  }

  #lose(): void {
    this.stop();
    this.#actions.lost();
  }
}

/** A claim as plain data. */
export interface FrozenClaim {
  readonly state: number;
  readonly dueUs: number;
  readonly sent: number;
  readonly conflictUs: number;
}

/** Conflicts of one device: after too many, new addresses are tried once a minute (§2.1.1). */
export class ConflictRate {
  #conflicts = 0;
  #triedUs = Number.NEGATIVE_INFINITY;

  /** An address was refused. */
  conflict(): void {
    this.#conflicts++;
  }

  /** One was claimed: it is no longer as if all were taken. */
  claimed(): void {
    this.#conflicts = 0;
  }

  /** When the next address may be probed for; it is taken as done. */
  next(nowUs: number): number {
    const isLimited = this.#conflicts >= ACD.MAX_CONFLICTS;
    this.#triedUs = isLimited ? Math.max(nowUs, this.#triedUs + ACD.RATE_LIMIT_INTERVAL_US) : nowUs;
    return this.#triedUs;
  }
}
