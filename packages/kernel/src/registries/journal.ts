import type { Log } from '@softnet/contract';

/** One entry of the kernel's log. */
export interface LogEntry {
  /** Kernel time, µs. */
  readonly timeUs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `name#generation`, or 'kernel'. */
  readonly module: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Entries kept, the newest. */
const KEPT = 500;

/** The kernel's log: the last 500 entries, and a sink that sees each. */
export class Journal {
  readonly #nowUs: () => number;
  readonly #sink: (entry: LogEntry) => void;
  #entries: LogEntry[] = [];

  constructor(nowUs: () => number, sink: (entry: LogEntry) => void) {
    this.#nowUs = nowUs;
    this.#sink = sink;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries.slice(-KEPT);
  }

  /** The log of one module. */
  of(module: string): Log {
    const at = (level: LogEntry['level']) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
      this.#write({ timeUs: this.#nowUs(), level, module, message, ...(fields === undefined ? {} : { fields }) });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  #write(entry: LogEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    this.#sink(entry);
  }
}
