import type { TimeSource } from './kernel-clock.ts';

/** What a World needs of the machine below it, Node or a browser. */
export interface Host {
  /** Monotonic, in ms, with fractions. */
  nowMs(): number;
  /** Calls `then` after that many ms: 1 to 2³¹-1. */
  setTimer(then: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
  /** Calls `then` as a task of its own: after all microtasks, and after the host looked for I/O. */
  soon(then: () => void): void;
}

/** A browser's, of which Node's types know only a part. */
interface Channel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
}

/** The globals that {@link hostOf} looks for. */
export type HostGlobals = Pick<typeof globalThis, 'performance' | 'setTimeout' | 'clearTimeout'> & {
  readonly setImmediate?: ((then: () => void) => unknown) | undefined;
  readonly MessageChannel?: unknown;
};

/** The host that this program runs on. */
export function hostOf(globals: HostGlobals = globalThis): Host {
  return {
    nowMs: () => globals.performance.now(),
    setTimer: (then, delayMs) => globals.setTimeout(then, delayMs),
    clearTimer: (handle) => globals.clearTimeout(handle as ReturnType<typeof globalThis.setTimeout>),
    soon: soonOf(globals),
  };
}

/** `setImmediate`, or a message to oneself: in a browser, `setTimeout` would wait 4 ms. */
function soonOf(globals: HostGlobals): Host['soon'] {
  const { setImmediate: immediate, MessageChannel: makeChannel } = globals;
  if (immediate !== undefined) return (then) => void immediate(then);
  if (makeChannel === undefined) return (then) => void globals.setTimeout(then, 0);
  const { port1, port2 } = new (makeChannel as new () => Channel)();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => void waiting.shift()?.();
  return (then) => {
    waiting.push(then);
    port2.postMessage(null);
  };
}

/** The host's time in whole µs from the World's boot. */
export class HostTime implements TimeSource {
  readonly virtual = false;
  readonly #host: Host;
  readonly #bootMs: number;
  #lastUs = -0;

  constructor(host: Host) {
    this.#host = host;
    this.#bootMs = host.nowMs();
  }

  readUs(): number {
    const us = Math.floor((this.#host.nowMs() - this.#bootMs) * 1000);
    if (us > this.#lastUs) this.#lastUs = us;
    return this.#lastUs;
  }
}
