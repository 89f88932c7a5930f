import { SockAddress } from '@softnet/contract';
import type { Expression } from '../language/expression.ts';
import type { FlowBook } from '../run/flow-book.ts';
import type { ScriptConfig } from '../run/script-config.ts';
import type { ScriptTarget } from '../run/script-target.ts';
import { numberOf } from './evaluate.ts';
import { LocalFiles } from './local-files.ts';
import { ScriptFailure } from './script-failure.ts';
import type { Answer, SystemCalls } from './system-calls.ts';

/** A call that was made. */
export interface MadeCall {
  readonly answer: Answer;
  /** The answer, where it is 0 or more, is a descriptor. */
  readonly opens?: number;
  /** The script's answer, where it is 0 or more, is a descriptor of no socket. */
  readonly names?: (fd: number) => void;
  /** Looks at what the call has given. @throws ScriptFailure */
  readonly verify?: (answer: number) => void;
}

/** What calls of a script work with. */
export class CallContext {
  readonly calls: SystemCalls;
  readonly config: ScriptConfig;
  readonly flows: FlowBook;
  /** Of a time of the kernel, when it is in the script. */
  readonly scriptUs: (kernelUs: number) => number;
  readonly files = new LocalFiles();
  /** Descriptors of the script, as they are in the kernel under test; and of what protocol they are. */
  readonly #fds = new Map<number, { readonly live: number; readonly protocol: number }>();

  constructor({ calls, clock }: Pick<ScriptTarget, 'calls' | 'clock'>, config: ScriptConfig, flows: FlowBook) {
    this.calls = calls;
    this.scriptUs = (kernelUs) => clock.scriptUs(kernelUs);
    this.config = config;
    this.flows = flows;
  }

  /** The descriptor that was opened last, of the script's numbers; null: none. */
  newest: number | null = null;

  opened(fd: number, live: number, protocol: number): void {
    this.newest = fd;
    this.#fds.set(fd, { live, protocol });
  }

  forget(fd: number): void {
    this.#fds.delete(fd);
  }

  /** What the script calls by this number, as the kernel does; itself where the script never opened it. */
  live(fd: number): number {
    return this.#fds.get(fd)?.live ?? -1;
  }

  protocol(fd: number): number {
    return this.#fds.get(fd)?.protocol ?? 0;
  }

  fd(expression: Expression | undefined): number {
    if (expression === undefined) throw new ScriptFailure('the descriptor is missing');
    return numberOf(expression);
  }

  /** Its ends have changed: which flow packets belong to. */
  touch(fd: number, remote: SockAddress | null): void {
    const local = new SockAddress();
    if (this.calls.nameOf(this.live(fd), false, local) === 0) this.flows.touched(this.live(fd), this.protocol(fd), local, remote);
  }
}

/** One argument more than the script gives is missing. @throws ScriptFailure */
export function argument(args: readonly Expression[], index: number, what: string): Expression {
  const found = args[index];
  if (found === undefined) throw new ScriptFailure(`${what} is missing`);
  return found;
}
