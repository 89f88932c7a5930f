/** Where the search for duplicates of an address stands. */
export const DETECTION = Object.freeze({
  /** Nothing is done: the link is down. */
  IDLE: 0,
  /** It waits before the first solicitation, or for what the last one calls forth. */
  PROBING: 1,
  /** Nobody else has it. */
  UNIQUE: 2,
  /** Somebody else has it, or wants it too. */
  DUPLICATE: 3,
} as const);

/** RFC 4861 §10: so many solicitations more follow one that came back (RFC 7527 §4.1). */
const MAX_MULTICAST_SOLICIT = 3;
/** Of a nonce (RFC 3971 §5.3.2). */
export const NONCE_BYTES = 6;

/** What the search does. */
export interface DetectionActions {
  /** Sends a solicitation. @param nonce null: without (RFC 4862 as it was before RFC 7527). */
  probe(nonce: Uint8Array | null): void;
  /** Nobody else has it: it may be used. */
  unique(): void;
  /** It is not to be used. */
  duplicate(): void;
  /** A solicitation of our own came back, the first of this search: the link is a loop. */
  looped(): void;
}

/** How it is searched, as the settings have it when it begins. */
export interface DetectionPlan {
  /** DupAddrDetectTransmits (RFC 4862 §5.1): 1 or more. */
  readonly transmits: number;
  /** RetransTimer, µs. */
  readonly retransUs: number;
  /** Before the first (RFC 4862 §5.4.2), µs. */
  readonly delayUs: number;
  /** Null: solicitations have none. By it a loop is told from a conflict (RFC 7527). */
  readonly nonce: Uint8Array | null;
}

/** A search that stands still, for the next generation. */
export interface FrozenDetection {
  readonly state: number;
  /** Null: it waits for nothing. */
  readonly dueUs: number | null;
  readonly sent: number;
  readonly wanted: number;
  readonly retransUs: number;
  readonly nonce: readonly number[] | null;
  readonly isLooped: boolean;
  readonly hasLooped: boolean;
}

/**
 * Duplicate address detection (RFC 4862 §5.4, RFC 7527) for one address. No clock of its own: {@link dueUs} says when {@link timeout} is
 * wanted.
 */
export class DuplicateDetection {
  /** One of {@link DETECTION}. */
  state: number = DETECTION.IDLE;
  /** Kernel µs; Infinity: it waits for nothing. */
  dueUs = Number.POSITIVE_INFINITY;
  readonly #actions: DetectionActions;
  #sent = 0;
  #wanted = 0;
  #retransUs = 0;
  #nonce: Uint8Array | null = null;
  /** The last solicitation has come back. */
  #isLooped = false;
  #hasLooped = false;

  constructor(actions: DetectionActions) {
    this.#actions = actions;
  }

  /** From the beginning, whatever was. */
  begin(nowUs: number, { transmits, retransUs, delayUs, nonce }: DetectionPlan): void {
    this.state = DETECTION.PROBING;
    this.dueUs = nowUs + delayUs;
    this.#sent = 0;
    this.#wanted = transmits;
    this.#retransUs = retransUs;
    this.#nonce = nonce;
    this.#isLooped = false;
    this.#hasLooped = false;
  }

  /** Nothing more is sent: the link is down, or the address goes. */
  stop(): void {
    this.state = DETECTION.IDLE;
    this.dueUs = Number.POSITIVE_INFINITY;
  }

  timeout(nowUs: number): void {
    if (nowUs < this.dueUs || this.state !== DETECTION.PROBING) return;
    // While they come back nobody can say who else is there (RFC 7527 §4.1): until the loop is gone.
    if (this.#sent >= this.#wanted && this.#isLooped) this.#wanted = this.#sent + MAX_MULTICAST_SOLICIT;
    if (this.#sent < this.#wanted) {
      this.#sent++;
      this.#isLooped = false;
      this.dueUs = nowUs + this.#retransUs;
      this.#actions.probe(this.#nonce);
    } else {
      this.#end(DETECTION.UNIQUE);
      this.#actions.unique();
    }
  }

  /**
   * A solicitation from :: for the address (RFC 4862 §5.4.3), with so many bytes of a nonce at `at`; none: -1. Returns whether it was our own.
   * Another's says that it is wanted twice, be it before our own first one or behind it.
   */
  probed(bytes: Uint8Array, at: number, nonceBytes: number): boolean {
    if (this.state !== DETECTION.PROBING) return false;
    if (!this.#isOurs(bytes, at, nonceBytes)) {
      this.claimed();
      return false;
    }
    this.#isLooped = true;
    if (!this.#hasLooped) this.#actions.looped();
    this.#hasLooped = true;
    return true;
  }

  /** An advertisement for it (RFC 4862 §5.4.4). */
  claimed(): void {
    if (this.state !== DETECTION.PROBING) return;
    this.#end(DETECTION.DUPLICATE);
    this.#actions.duplicate();
  }

  /** For the next generation. */
  freeze(): FrozenDetection {
    return {
      state: this.state,
      dueUs: Number.isFinite(this.dueUs) ? this.dueUs : null,
      sent: this.#sent,
      wanted: this.#wanted,
      retransUs: this.#retransUs,
      nonce: this.#nonce === null ? null : [...this.#nonce],
      isLooped: this.#isLooped,
      hasLooped: this.#hasLooped,
    };
  }

  thaw(frozen: FrozenDetection): void {
    this.state = frozen.state;
    this.dueUs = frozen.dueUs ?? Number.POSITIVE_INFINITY;
    this.#sent = frozen.sent;
    this.#wanted = frozen.wanted;
    this.#retransUs = frozen.retransUs;
    this.#nonce = frozen.nonce === null ? null : Uint8Array.from(frozen.nonce);
    this.#isLooped = frozen.isLooped;
    this.#hasLooped = frozen.hasLooped;
  }

  #end(state: number): void {
    this.state = state;
    this.dueUs = Number.POSITIVE_INFINITY;
  }

  #isOurs(bytes: Uint8Array, at: number, nonceBytes: number): boolean {
    const nonce = this.#nonce;
    if (nonce === null || at < 0 || nonceBytes !== nonce.length || this.#sent === 0) return false;
    for (let i = 0; i < nonceBytes; i++) if (bytes[at + i] !== nonce[i]) return false;
    return true;
  }
}
