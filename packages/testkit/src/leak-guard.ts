import { HostState } from './host-state.ts';

/** Signals that Node gives where nobody handled an error. */
const UNHANDLED = ['unhandledRejection', 'uncaughtException'] as const;

/**
 * Watches what code leaves behind outside of any kernel: Node's resources (timers, handles), globals, environment, listeners
 * of the process, errors that nobody handled. Usable alone:
 *
 * ```ts
 * const guard = LeakGuard.watch();
 * // ... load, use and unload
 * const leaks = await guard.end();   // [] or sentences
 * ```
 */
export class LeakGuard {
  readonly #before: HostState;
  /** The same, or an earlier one: what comes once only, at the first use of the code, is there when the guard begins late. */
  readonly #first: HostState;
  readonly #errors: string[] = [];
  readonly #restores: (() => void)[] = [];

  private constructor(first: HostState | undefined) {
    this.#before = HostState.now();
    this.#first = first ?? this.#before;
    for (const event of UNHANDLED) this.#catch(event);
  }

  /**
   * Begins. Errors that nobody handles are the guard's until `end`: the runner does not see them.
   * @param first compare globals, environment and listeners with those of an earlier moment.
   */
  static watch(first?: HostState): LeakGuard {
    return new LeakGuard(first);
  }

  /** Ends, and says what was left. `graceMs`: how long resources may take to close, in real time. */
  async end(graceMs = 30): Promise<string[]> {
    // Rejections are told after microtasks, handles close in the turn after.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    for (const restore of this.#restores) restore();
    const leaks = [...this.#errors, ...this.#first.news()];
    let open = this.#before.newResources();
    if (open.length > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, graceMs));
      open = this.#before.newResources();
    }
    return [...new Set([...leaks, ...open])];
  }

  #catch(event: (typeof UNHANDLED)[number]): void {
    const { process } = globalThis as { process?: NodeJS.Process };
    if (process === undefined) return;
    const before = process.rawListeners(event) as ((...args: unknown[]) => void)[];
    const listener = (error: unknown): void => {
      const what = event === 'unhandledRejection' ? 'an unhandled rejection' : 'an uncaught exception';
      this.#errors.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    };
    process.removeAllListeners(event);
    process.on(event, listener);
    this.#restores.push(() => {
      process.removeAllListeners(event);
      for (const each of before) process.on(event, each);
    });
  }
}

/** After microtasks, and after the host looked for I/O. */
function nextTurn(): Promise<void> {
  const { setImmediate: soon } = globalThis as { setImmediate?: (then: () => void) => unknown };
  return new Promise((resolve) => void (soon === undefined ? setTimeout(resolve, 0) : soon(resolve)));
}
