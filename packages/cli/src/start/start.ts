import type { Terminal } from '../main.ts';
import { PlainOutput } from '../session/plain-output.ts';
import { runPrompt } from './prompt.ts';
import { report } from './report.ts';
import { bootScene } from './scene.ts';

/** Options of `softnet start`. */
export interface StartOptions {
  /** Errors with their stacks; kernels that keep the stack of every hold. */
  readonly debug: boolean;
  readonly seed: number;
}

/** The main job: with a terminal a prompt on the real clock; without one a report on virtual time. Returns the exit code. */
export async function start({ debug, seed }: StartOptions, terminal: Terminal): Promise<number> {
  const { stdin, stdout } = terminal;
  if (stdin.isTTY === true && stdout.isTTY === true) {
    return runPrompt(await bootScene({ clock: 'real', seed, debug }), terminal, debug);
  }
  const output = new PlainOutput((text) => stdout.write(text));
  return report(await bootScene({ clock: 'virtual', seed, debug }), output, debug);
}
