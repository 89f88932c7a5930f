import { commands } from '../commands/commands.ts';
import type { Output } from '../session/output.ts';
import { RecordingOutput } from '../session/recording-output.ts';
import { Session } from '../session/session.ts';
import { count } from '../text/count.ts';
import { acts } from './report-acts.ts';
import { ReportStage } from './report-stage.ts';
import type { Scene } from './scene.ts';

/** Shows without a terminal what the prompt can do. Returns the exit code: 1 when a promise was broken. */
export async function report(scene: Scene, plain: Output, debug: boolean): Promise<number> {
  const output = new RecordingOutput(plain);
  const session = new Session({
    kernels: scene.kernels,
    commands,
    catalogue: scene.catalogue,
    output,
    debug,
    forwards: scene.web.forwards,
  });
  const stage = new ReportStage(scene, session, output);
  scene.troubles.listen((error) => stage.promise(`what a module took along came back: ${session.describe(error)}`, false));
  for (const [index, { title, play }] of acts.entries()) {
    output.print(`${index === 0 ? '' : '\n'}== ${title}`);
    try {
      await play(stage);
    } catch (error) {
      stage.promise(`no error: ${session.describe(error)}`, false);
    }
  }
  const { kept, broken } = stage;
  const seconds = (scene.net.world.nowUs / 1e6).toFixed(1);
  output.print(`\n${count(kept, 'promise')} kept, ${broken} broken, in ${seconds} s (seed ${scene.net.world.seed})`);
  return broken === 0 ? 0 : 1;
}
