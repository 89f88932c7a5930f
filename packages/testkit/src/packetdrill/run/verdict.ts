/** What became of a script. */
export interface ScriptVerdict {
  readonly file: string;
  readonly passed: boolean;
  /** Where it failed; null: as a whole, or it did not. */
  readonly line: number | null;
  /** Virtual time of the script when it ended, µs. */
  readonly timeUs: number;
  /** Why it failed; '' where it passed. */
  readonly sentence: string;
  /** What the script says, and what happened, where it is about packets. */
  readonly expected: string | null;
  readonly actual: string | null;
  /** What happened, line by line, where it was asked for. */
  readonly log: readonly string[];
}

/** A script failed at one of its lines. */
export class LineFailure extends Error {
  readonly line: number;
  readonly expected: string | null;
  readonly actual: string | null;

  constructor(line: number, sentence: string, expected: string | null = null, actual: string | null = null) {
    super(sentence);
    this.name = 'LineFailure';
    this.line = line;
    this.expected = expected;
    this.actual = actual;
  }
}

/** As text: one line where it passed. */
export function describeVerdict({ file, passed, line, timeUs, sentence, expected, actual, log }: ScriptVerdict): string {
  const lines = [...log];
  if (passed) lines.push(`${file}: passed`);
  else {
    lines.push(`${file}${line === null ? '' : `:${line}`}: failed at ${seconds(timeUs)}: ${sentence}`);
    if (expected !== null) lines.push(`  script: ${expected}`);
    if (actual !== null) lines.push(`  actual: ${actual}`);
  }
  return lines.join('\n');
}

/** '1.500000 s' */
export function seconds(us: number): string {
  return `${(us / 1_000_000).toFixed(6)} s`;
}
