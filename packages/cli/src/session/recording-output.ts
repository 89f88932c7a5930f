import type { Output } from './output.ts';

/** Passes all on, and keeps the lines since it was last asked. */
export class RecordingOutput implements Output {
  readonly width: number;
  readonly paint: Output['paint'];
  readonly #output: Output;
  #lines: string[] = [];

  constructor(output: Output) {
    this.#output = output;
    this.width = output.width;
    this.paint = output.paint;
  }

  print(text: string): void {
    this.#lines.push(text);
    this.#output.print(text);
  }

  status(line: string): void {
    this.#output.status(line);
  }

  /** What was printed since the last call. */
  take(): string {
    const text = this.#lines.join('\n');
    this.#lines = [];
    return text;
  }
}
