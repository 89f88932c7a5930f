import { commands } from '../commands/commands.ts';
import type { Scene } from '../start/scene.ts';
import { bootScene } from '../start/scene.ts';
import { noPaint } from '../text/paint.ts';
import type { Output } from './output.ts';
import { Session } from './session.ts';

/** A session for tests: lines are fed, and what would be on the screen is read. */
export interface TestSession {
  readonly scene: Scene;
  readonly session: Session;
  /** Every status line, in order. */
  readonly statuses: readonly string[];
  /** Runs a line in virtual time; what it printed. */
  type(line: string): Promise<string>;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  /** What was printed since the last call of this or of `type`. */
  printed(): string;
}

/** Two kernels with traffic, on virtual time, after `ms` of it. */
export async function testSession({ ms = 500, debug = false, seed = 1 } = {}): Promise<TestSession> {
  const scene = await bootScene({ clock: 'virtual', seed, debug });
  const statuses: string[] = [];
  let text = '';
  const output: Output = {
    width: 100,
    paint: noPaint,
    print: (line) => {
      text += `${line}\n`;
    },
    status: (line) => {
      if (line !== '') statuses.push(line);
    },
  };
  const session = new Session({ kernels: scene.kernels, commands, catalogue: scene.catalogue, output, debug });
  const printed = (): string => {
    const all = text;
    text = '';
    return all;
  };
  const pass = (passMs: number): Promise<void> => scene.world.advance(passMs * 1000);
  await pass(ms);
  return {
    scene,
    session,
    statuses,
    printed,
    pass,
    type: async (line) => {
      printed();
      await scene.run(session.execute(line));
      return printed();
    },
  };
}
