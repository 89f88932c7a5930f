import type { Figures, Subject, Work } from './work.ts';

/** Runs one round of one subject: in a process of its own, or (in tests) here. */
export type Measure = (work: Work, subject: Subject) => Promise<Figures>;

/** One line of the result, as it stands in the JSON. */
export interface Row {
  readonly work: string;
  /** `softnet` or a peer's name. */
  readonly subject: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** A subject without figures. */
interface Absence {
  readonly subject: string;
  readonly reason: string;
  /** It could have run, and failed. */
  readonly failed: boolean;
}

export interface WorkResult {
  readonly work: Work;
  readonly rows: readonly Row[];
  readonly absences: readonly Absence[];
}

/** Measures all subjects of a work in turn, round by round, so that what disturbs the machine meets each of them. */
export async function runWork(work: Work, rounds: number, measure: Measure): Promise<WorkResult> {
  const absences = absentSubjects(work);
  const rest = new Map(work.subjects.map((subject) => [subject, [] as Figures[]]));
  for (const subject of work.subjects) if (absences.some((absence) => absence.subject === subject.name)) rest.delete(subject);
  for (let round = 0; round < rounds; round++) {
    for (const subject of rotated([...rest.keys()], round)) {
      try {
        rest.get(subject)!.push(checked(work, await measure(work, subject)));
      } catch (error) {
        rest.delete(subject);
        absences.push({ subject: subject.name, reason: error instanceof Error ? error.message : String(error), failed: true });
      }
    }
  }
  return { work, rows: rowsOf(work, rest), absences };
}

function absentSubjects(work: Work): Absence[] {
  return work.subjects.flatMap(({ name, lack }) => {
    const reason = lack?.();
    return reason === undefined ? [] : [{ subject: name, reason, failed: false }];
  });
}

/** Each round begins with another subject, so that nobody is always the first. */
function rotated<T>(all: readonly T[], by: number): T[] {
  const at = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

function checked(work: Work, figures: Figures): Figures {
  const wanted = Object.keys(work.units);
  const given = Object.keys(figures);
  if (given.length !== wanted.length || !wanted.every((unit) => Number.isFinite(figures[unit]))) {
    throw new Error(`gave ${JSON.stringify(figures)}, expected a number for each of: ${wanted.join(', ')}`);
  }
  return figures;
}

function rowsOf(work: Work, measured: ReadonlyMap<Subject, readonly Figures[]>): Row[] {
  return Object.keys(work.units).flatMap((unit) =>
    [...measured].map(([subject, figures]) => {
      const values = figures.map((each) => each[unit]!).sort((a, b) => a - b);
      const [min, max] = [values[0]!, values.at(-1)!];
      return { work: work.name, subject: subject.name, unit, median: medianOf(values), min, max, rounds: values.length };
    }),
  );
}

/** @param sorted at least one value, ascending. */
function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
