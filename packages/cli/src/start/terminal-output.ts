import type { Interface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from '../main.ts';
import type { LiveScreen, Output } from '../session/output.ts';
import type { Paint } from '../text/paint.ts';
import { ansiPaint, noPaint } from '../text/paint.ts';
import { cut } from '../text/table.ts';
import { wrap } from '../text/wrap.ts';

const CLEAR_LINE = '\r\x1b[K';
/** Where nobody knows how wide it is. */
const USUAL_COLUMNS = 100;

/** A person's terminal: colours, a line that changes, full screens. */
export class TerminalOutput implements Output {
  readonly paint: Paint;
  readonly live: LiveScreen;
  readonly #terminal: Terminal;
  readonly #readline: Interface;
  #status = '';
  /** The prompt stands there, with what was typed: it is moved down when something is printed. */
  prompting = false;

  constructor(terminal: Terminal, readline: Interface) {
    this.#terminal = terminal;
    this.#readline = readline;
    this.paint = (terminal.env.NO_COLOR ?? '') === '' ? ansiPaint : noPaint;
    this.live = { show: (draw, everyMs, signal) => this.#show(draw, everyMs, signal) };
  }

  get width(): number {
    return this.#terminal.stdout.columns || USUAL_COLUMNS;
  }

  print(text: string): void {
    const { stdout } = this.#terminal;
    stdout.write(
      `${this.prompting || this.#status !== '' ? CLEAR_LINE : ''}${text
        .split('\n')
        .flatMap((line) => this.#fit(line))
        .join('\n')}\n`,
    );
    if (this.prompting) this.#readline.prompt(true);
    else if (this.#status !== '') stdout.write(this.#status);
  }

  /** Sentences are wrapped; what is painted was cut before. */
  #fit(line: string): string[] {
    if (stripVTControlCharacters(line).length <= this.width) return [line];
    return wrap(line, this.width, `${/^ */.exec(line)?.[0]}  `);
  }

  status(line: string): void {
    if (line === this.#status) return;
    this.#status = cut(line, this.width - 1);
    this.#terminal.stdout.write(`${CLEAR_LINE}${this.#status}`);
  }

  async #show(draw: (rows: number) => readonly string[], everyMs: number, signal: AbortSignal): Promise<void> {
    const { stdin, stdout } = this.#terminal;
    const frame = (): void => {
      const lines = [...draw((stdout.rows || 24) - 2), cut('any key: back to the prompt', this.width)];
      stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`);
    };
    stdout.write('\x1b[?1049h');
    frame();
    const timer = setInterval(frame, everyMs);
    try {
      await new Promise<void>((resolve) => {
        stdin.once('keypress', () => resolve());
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      clearInterval(timer);
      stdout.write('\x1b[?1049l');
      // The key went into the line that is being typed, too.
      this.#readline.write(null, { ctrl: true, name: 'u' });
    }
  }
}
