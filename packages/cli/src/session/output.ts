import type { Paint } from '../text/paint.ts';

/** Where a session writes. */
export interface Output {
  /** Columns that a line may have, at most 100. */
  readonly width: number;
  readonly paint: Paint;
  /** Lines that stay. */
  print(text: string): void;
  /** One line, in place of the last status; '' takes it away. A sink that cannot do so leaves it out. */
  status(line: string): void;
  /** What only a person at a terminal can be shown; undefined without one. */
  readonly live?: LiveScreen;
}

/** A screen that is drawn again and again until a key is pressed. */
export interface LiveScreen {
  /** Calls `draw` now and every `everyMs` and shows its lines, until a key is pressed or `signal` aborts. */
  show(draw: (rows: number) => readonly string[], everyMs: number, signal: AbortSignal): Promise<void>;
}
