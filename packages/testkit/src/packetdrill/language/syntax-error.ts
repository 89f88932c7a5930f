/** Where something stands in a script; both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A script that cannot be read: where, and what was expected there. */
export class ScriptSyntaxError extends Error {
  readonly file: string;
  readonly at: Position;
  readonly expected: string;

  constructor(file: string, at: Position, expected: string, found: string) {
    super(`${file}:${at.line}:${at.column}: expected ${expected}, found ${found}`);
    this.name = 'ScriptSyntaxError';
    this.file = file;
    this.at = at;
    this.expected = expected;
  }
}
