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
      this.#write({ timeUs: this.#nowUs(), level, module, message, ...(fields === undefined ? {} : { fields: flat(fields) }) });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  #write(entry: LogEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    try {
      this.#sink(entry);
    } catch {
      // The sink's trouble is not the module's that logs; the entry is kept.
    }
  }
}

/** Only plain values: an object in an entry would keep alive what it belongs to, a plugin's code perhaps. */
function flat(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'object' && value !== null ? String(value) : value]),
  );
}
