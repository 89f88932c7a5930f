/** What Node says about itself; absent in a browser. */
type NodeProcess = Pick<NodeJS.Process, 'getActiveResourcesInfo' | 'rawListeners' | 'eventNames' | 'env'>;

/** Resources that come and go with Node's own work, or with a test runner's. */
const RESTLESS =
  /^(?:Immediate|TickObject|Microtask|PipeWrap|FSReqCallback|FSReqPromise|FileHandleCloseReq|CloseReq|MessagePort|ProcessWrap|WriteWrap|GetAddrInfo.*)$/;

/** What Node makes in the global object when code of its own is first needed: for the first MessagePort of a process, since Node 24. */
const OF_NODE = /^Symbol\(undici\./;

/** What there was outside of any kernel at one moment: Node's resources (timers, handles), globals, environment, listeners. */
export class HostState {
  readonly #process: NodeProcess | undefined;
  readonly #resources: Map<string, number>;
  readonly #globals: Set<PropertyKey>;
  readonly #env: Set<string>;
  readonly #listeners: Map<string | symbol, number>;

  private constructor() {
    this.#process = (globalThis as { process?: NodeProcess }).process;
    this.#globals = new Set(Reflect.ownKeys(globalThis));
    this.#env = new Set(Object.keys(this.#process?.env ?? {}));
    this.#resources = this.#countResources();
    this.#listeners = this.#countListeners();
  }

  static now(): HostState {
    return new HostState();
  }

  /** Globals, environment, listeners that are there now, and were not then: as sentences. */
  news(): string[] {
    return [...this.#newGlobals(), ...this.#newEnv(), ...this.#newListeners()];
  }

  /** Resources of Node that are open now, and were not then. */
  newResources(): string[] {
    return [...this.#countResources()]
      .map(([name, count]) => ({ name, more: count - (this.#resources.get(name) ?? 0) }))
      .filter(({ more }) => more > 0)
      .map(({ name, more }) => `${more} of Node's ${name} left open`);
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

  #newGlobals(): string[] {
    return Reflect.ownKeys(globalThis)
      .filter((key) => !this.#globals.has(key) && !OF_NODE.test(String(key)))
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
