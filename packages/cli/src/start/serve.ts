import { commands } from '../commands/commands.ts';
import type { Output } from '../session/output.ts';
import { Session } from '../session/session.ts';
import type { Scene } from './scene.ts';
import { shutDown } from './shut-down.ts';
import { INTERRUPTED, SIGNALS } from './signals.ts';

/** Without a terminal: the kernel serves until it is told to end; a second time, it ends at once. Returns the exit code. */
export async function serve(scene: Scene, output: Output, debug: boolean): Promise<number> {
  const session = new Session({
    kernels: scene.kernels,
    commands,
    catalogue: scene.catalogue,
    output,
    debug,
    forwards: scene.web.forwards,
  });
  for (const line of scene.welcome) output.print(line);
  output.print('serving; SIGINT or SIGTERM ends it');
  scene.troubles.listen((error) => output.print(session.describe(error)));
  for (const kernel of scene.kernels) {
    kernel.on((event) => {
      if (event.sort === 'fault') output.print(`fault: ${event.fault.module} in ${event.fault.hook}: ${event.fault.message}`);
    });
  }
  // Sockets and TAPs may be all that is open, and they keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  let stop: () => void = () => undefined;
  await new Promise<void>((resolve) => {
    let told = false;
    const onSignal = (): void => {
      if (told) process.exit(INTERRUPTED);
      told = true;
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    stop = () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    };
  });
  await scene.web.close();
  try {
    await shutDown(scene.kernels, output);
    return 0;
  } finally {
    clearInterval(alive);
    stop();
  }
}
