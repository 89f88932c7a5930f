/** What Node says about itself; absent in a browser. */
type NodeProcess = Pick<NodeJS.Process, 'getActiveResourcesInfo' | 'rawListeners' | 'removeAllListeners' | 'on' | 'eventNames' | 'env'>;

/** Signals that Node gives where nobody handled an error. */
const UNHANDLED = ['unhandledRejection', 'uncaughtException'] as const;
/** Resources that come and go with Node's own work, or with a test runner's. */
const RESTLESS =
  /^(?:Immediate|TickObject|Microtask|PipeWrap|FSReqCallback|FSReqPromise|FileHandleCloseReq|CloseReq|MessagePort|ProcessWrap|WriteWrap|GetAddrInfo.*)$/;

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
  readonly #process: NodeProcess | undefined;
  readonly #resources: Map<string, number>;
  readonly #globals: Set<PropertyKey>;
  readonly #env: Set<string>;
  readonly #listeners: Map<string | symbol, number>;
  readonly #errors: string[] = [];
  readonly #restores: (() => void)[] = [];

  private constructor() {
    this.#process = (globalThis as { process?: NodeProcess }).process;
    this.#globals = new Set(Reflect.ownKeys(globalThis));
    this.#env = new Set(Object.keys(this.#process?.env ?? {}));
    this.#resources = this.#countResources();
    this.#listeners = this.#countListeners();
    for (const event of UNHANDLED) this.#catch(event);
  }

  /** Begins. Errors that nobody handles are the guard's until `end`: the runner does not see them. */
  static watch(): LeakGuard {
    return new LeakGuard();
  }

  /** Ends, and says what was left. `graceMs`: how long resources may take to close, in real time. */
  async end(graceMs = 30): Promise<string[]> {
    // Rejections are told after microtasks, handles close in the turn after.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    for (const restore of this.#restores) restore();
    const leaks = [...this.#errors, ...this.#newGlobals(), ...this.#newEnv(), ...this.#newListeners()];
    let open = this.#newResources();
    if (open.length > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, graceMs));
      open = this.#newResources();
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

  #countResources(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const name of this.#process?.getActiveResourcesInfo() ?? []) {
      if (!RESTLESS.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  #countListeners(): Map<string | symbol, number> {
    const names = this.#process?.eventNames() ?? [];
    return new Map(names.map((name) => [name, this.#process!.rawListeners(name as 'exit').length]));
  }

  #newResources(): string[] {
    return [...this.#countResources()]
      .map(([name, count]) => ({ name, more: count - (this.#resources.get(name) ?? 0) }))
      .filter(({ more }) => more > 0)
      .map(({ name, more }) => `${more} of Node's ${name} left open`);
  }

  #newGlobals(): string[] {
    return Reflect.ownKeys(globalThis)
      .filter((key) => !this.#globals.has(key))
      .map((key) => `a new global: ${String(key)}`);
  }

  #newEnv(): string[] {
    return Object.keys(this.#process?.env ?? {})
      .filter((key) => !this.#env.has(key))
      .map((key) => `a new environment variable: ${key}`);
  }

  #newListeners(): string[] {
    return [...this.#countListeners()]
      .filter(([name, count]) => count > (this.#listeners.get(name) ?? 0))
      .map(([name]) => `a listener of the process left: '${String(name)}'`);
  }
}

/** After microtasks, and after the host looked for I/O. */
function nextTurn(): Promise<void> {
  const { setImmediate: soon } = globalThis as { setImmediate?: (then: () => void) => unknown };
  return new Promise((resolve) => void (soon === undefined ? setTimeout(resolve, 0) : soon(resolve)));
}
