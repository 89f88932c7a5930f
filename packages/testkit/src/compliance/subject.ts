import type { Kernel, ModuleSource } from '@softnet/kernel';

/**
 * Users of a module under test: what its author supplies. Its promises may wait for kernel time only: the kit moves
 * it. (In real time, nobody moves it: they may wait for anything.)
 */
export interface Traffic {
  /**
   * Moves bytes over every object that is open, and checks each. Returns how many were moved, which must be more than 0.
   * Rejects when an object is over, or a byte is not what it must be.
   */
  exchange(): Promise<number>;
  /** Somebody new comes in by a door of the first kernel, and stays. Rejects with a NetError when the door is shut. */
  openAnother(): Promise<void>;
  /** For modules that park objects (listeners): somebody knocks at one from outside. */
  knock?(): Knock;
  /** All let go of what they have, also in the midst of an exchange. Resolves when that is done; also after a force. */
  close(): Promise<void>;
  /**
   * What went over the wire so far, as a number or text: equal runs have equal ones (`Cable.trace`, or a
   * {@link WireTrace} of all packets). Without it, the kit cannot see chance of the host's in packets.
   */
  trace?(): string | number;
}

/** Somebody at a parked object. The kit waits a second of kernel time (in real time: until they are let in), looks, and sends them away. */
export interface Knock {
  /** Let in, by now. */
  readonly answered: boolean;
  withdraw(): void;
}

/** What the kit is to judge. */
export interface ComplianceSubject {
  /** The module: a class, a bundle, or what makes one. */
  readonly source: ModuleSource | (() => ModuleSource);
  /** Another build of it to replace it by. Default: the same. */
  readonly replacement?: ModuleSource;
  /**
   * Its objects only serve modules that require it (links, addresses), and hold nothing up: without those it goes at once.
   * Default false: its objects are somebody's, and it waits for them.
   */
  readonly holdsNothingUp?: boolean;
  /** Modules to load first, in this order, into every kernel. */
  readonly needs?: readonly ModuleSource[];
  /**
   * Makes the kernels, of one World; the module is loaded into all of them, and judged in the first. Called for each check.
   * Default: two kernels 'a' and 'b' of this seed, in a virtual World; in a real one where a class says `realTime` in its
   * manifest. In real time the kit sleeps 50 ms where it moves virtual time by a second.
   */
  world?(seed: number): readonly Kernel[];
  /** In real time only: how long a step may take, ms, until it is said to hang. Default 8,000; more than a hook may take. */
  readonly hangsAfterMs?: number;
  /** Opens objects in the first kernel. The modules are loaded and live. */
  traffic(kernels: readonly Kernel[]): Promise<Traffic>;
}

/** One thing that the kit checks. */
export interface ComplianceCheck {
  readonly name: string;
  /** Rejects with a {@link ComplianceFailure}; resolves with why it does not apply, where it does not. */
  run(): Promise<Verdict>;
}

/** A check that did not fail. */
export interface Verdict {
  readonly applies: boolean;
  /** Why it does not apply, else what was seen. */
  readonly sentence: string;
}

/** What is wrong, with the module's name. */
export class ComplianceFailure extends Error {
  override readonly name = 'ComplianceFailure';
  /** An earlier check that failed for the same reason, and says which: this one adds nothing. */
  readonly because: string | undefined;
  /** It came no further than this, which another check judges. */
  readonly stage: Stage | undefined;

  constructor(message: string, { because, stage, ...options }: ErrorOptions & { because?: string; stage?: Stage | undefined } = {}) {
    super(message, options);
    this.because = because;
    this.stage = stage;
  }
}

/** What other checks build upon. */
export type Stage = 'load' | 'traffic' | 'determinism' | 'everything';

/** How a check ended. */
export interface ComplianceResult {
  readonly check: string;
  /** `not run`: it could only repeat an earlier failure, which is named. */
  readonly outcome: 'passed' | 'failed' | 'not run' | 'not applicable';
  readonly sentence: string;
}

/** How all of them ended. */
export interface ComplianceReport {
  readonly module: string;
  /** Nothing failed, and nothing was left out for that. */
  readonly passed: boolean;
  readonly results: readonly ComplianceResult[];
}
