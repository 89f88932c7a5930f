import { SOL } from '@softnet/contract';
import { readTcpInfo } from '@softnet/posix';
import type { CallContext } from '../system/call-context.ts';
import { CONSTANTS } from '../system/constants.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { Python } from './python.ts';
import type { PythonValue } from './python-values.ts';

interface CodeLine {
  readonly text: string;
  readonly line: number;
  readonly names: readonly (readonly [string, number])[];
}

const TCP_INFO = 11;

/** The `%{ }%` of a script: each sees the socket as it was at its time, and all are run at the end, in order. */
export class CodeLines {
  readonly #context: CallContext;
  readonly #lines: CodeLine[] = [];
  readonly printed: string[] = [];

  constructor(context: CallContext) {
    this.#context = context;
  }

  add(text: string, line: number): void {
    const bytes = new Uint8Array(512);
    const fd = this.#context.newest;
    const lenBytes = fd === null ? 0 : this.#context.calls.getOption(this.#context.live(fd), SOL.TCP, TCP_INFO, bytes);
    this.#lines.push({ text, line, names: lenBytes > 0 ? Object.entries(readTcpInfo(bytes.subarray(0, lenBytes))) : [] });
  }

  /** @throws ScriptFailure that names the line. */
  run(): void {
    const constants: (readonly [string, PythonValue])[] = [...CONSTANTS];
    const python = new Python(constants);
    for (const { text, line, names } of this.#lines) {
      for (const [name, value] of names) python.names.set(name, value);
      try {
        python.run(text);
      } catch (error) {
        if (error instanceof ScriptFailure) throw new ScriptFailure(`line ${line}: ${error.message}`);
        throw error;
      }
    }
    this.printed.push(...python.printed);
  }
}
