/** What one round of one subject gave, by unit: one figure, or several of the same run (per second, per CPU-second). */
export type Figures = Readonly<Record<string, number>>;

/** Who does the work: softnet, or a peer that stands beside it. */
export interface Subject {
  /** `softnet`, or the peer's name. */
  readonly name: string;
  /** Why it cannot run on this machine, and what to do about it; undefined where it can. */
  readonly lack?: () => string | undefined;
  /** One round, from nothing: set-up, warm-up, measurement. Its figures are of exactly the work's units. */
  readonly measure: () => Figures | Promise<Figures>;
}

/** Something that is measured. */
export interface Work {
  /** Unique in all suites: `npm run bench -- NAME` takes it. */
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Its units, and which way is better. */
  readonly units: Readonly<Record<string, 'less' | 'more'>>;
  /** Said below the table: a goal, or what the figure leaves out. */
  readonly note?: string;
  readonly subjects: readonly Subject[];
}

/** Works that are run together. */
export interface Suite {
  /** `npm run bench -- NAME` takes it. */
  readonly name: string;
  readonly works: readonly Work[];
}

/** The subject that the others are compared with. */
export const SOFTNET = 'softnet';
