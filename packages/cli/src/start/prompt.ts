import type { Interface } from 'node:readline';
import { createInterface } from 'node:readline';
import type { KernelEvent } from '@softnet/kernel';
import { commands } from '../commands/commands.ts';
import type { Terminal } from '../main.ts';
import { Session } from '../session/session.ts';
import type { Scene } from './scene.ts';
import { shutDown } from './shut-down.ts';
import { INTERRUPTED, SIGNALS } from './signals.ts';
import { TerminalOutput } from './terminal-output.ts';

/** A person at a terminal types commands until `quit`, Ctrl-D or Ctrl-C. Returns the exit code. */
export async function runPrompt(scene: Scene, terminal: Terminal, debug: boolean): Promise<number> {
  const { stdin, stdout } = terminal;
  const prompt: Prompt = new Prompt(
    scene,
    createInterface({ input: stdin, output: stdout, terminal: true, completer: (line: string) => prompt.session.complete(line) }),
    terminal,
    debug,
  );
  return prompt.run();
}

class Prompt {
  readonly session: Session;
  readonly #scene: Scene;
  readonly #readline: Interface;
  readonly #output: TerminalOutput;
  readonly #lines: string[] = [];
  #running = false;
  #leaving = false;
  #leave: (code: number) => void = () => undefined;

  constructor(scene: Scene, readline: Interface, terminal: Terminal, debug: boolean) {
    this.#scene = scene;
    this.#readline = readline;
    this.#output = new TerminalOutput(terminal, readline);
    this.session = new Session({
      kernels: scene.kernels,
      commands,
      catalogue: scene.catalogue,
      output: this.#output,
      debug,
      forwards: scene.web.forwards,
    });
  }

  async run(): Promise<number> {
    const left = new Promise<number>((resolve) => {
      this.#leave = resolve;
    });
    const onSignal = (signal: NodeJS.Signals): void => (signal === 'SIGINT' ? this.#interrupt() : this.#quit());
    for (const signal of SIGNALS) process.on(signal, onSignal);
    const stops = this.#scene.kernels.map((kernel) => kernel.on((event) => this.#tell(kernel.name, event)));
    this.#readline.on('SIGINT', () => this.#clearLine() || this.#interrupt());
    this.#readline.on('close', () => this.#quit());
    this.#readline.on('line', (line) => {
      this.#lines.push(line);
      void this.#next();
    });
    this.#scene.troubles.listen((error) => this.#output.print(this.session.describe(error)));
    for (const line of this.#scene.welcome) this.#output.print(line);
    this.#ask();
    const code = await left;
    for (const stop of stops) stop();
    for (const signal of SIGNALS) process.off(signal, onSignal);
    return code;
  }

  /** Runs the lines that were typed, one after another. */
  async #next(): Promise<void> {
    this.#output.prompting = false;
    if (this.#running || this.#leaving) return;
    this.#running = true;
    for (let line = this.#lines.shift(); line !== undefined && !this.session.over; line = this.#lines.shift()) {
      await this.session.execute(line);
    }
    this.#running = false;
    if (this.session.over) this.#quit();
    else if (!this.#leaving) this.#ask();
  }

  #ask(): void {
    this.#readline.setPrompt(`${this.session.kernel.name}> `);
    this.#readline.prompt();
    this.#output.prompting = true;
  }

  /** Ctrl-C on a line that is half typed takes back what was typed. False when nothing was, or no line is asked for. */
  #clearLine(): boolean {
    if (!this.#output.prompting || this.#readline.line === '') return false;
    for (const name of ['e', 'u']) this.#readline.write(null, { ctrl: true, name });
    return true;
  }

  /** Ctrl-C: calls off what waits; at an empty prompt, leaves; while leaving, leaves at once. */
  #interrupt(): void {
    if (this.#leaving) process.exit(INTERRUPTED);
    if (this.session.interrupt()) return;
    this.#quit();
  }

  #quit(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#output.prompting = false;
    this.#output.print('');
    this.#output.print('shutting down; Ctrl-C leaves at once');
    void this.#shutDown();
  }

  async #shutDown(): Promise<void> {
    let code = 0;
    for (const kernel of this.#scene.kernels) {
      for (const file of this.session.captures.stop(kernel)) this.#output.print(`captured ${file.sentence}`);
    }
    await this.#scene.web.close();
    try {
      await shutDown(this.#scene.kernels, this.#output);
    } catch (error) {
      this.#output.print(this.session.describe(error));
      code = 1;
    }
    this.#readline.close();
    this.#leave(code);
  }

  /** What happens while nobody waits for it. */
  #tell(kernel: string, event: KernelEvent): void {
    if (this.#leaving) return;
    if (event.sort === 'fault') {
      this.#output.print(`kernel ${kernel}: fault: ${event.fault.module} in ${event.fault.hook}: ${event.fault.message}`);
    } else if (!this.#running && event.to !== 'starting') {
      this.#output.print(`kernel ${kernel}: ${event.module} is ${event.to}`);
    }
  }
}
