import { PEERS } from './acts-of-packets.ts';
import { refusalOf } from './acts-of-unloading.ts';
import type { ReportStage } from './report-stage.ts';
import { shutDown } from './shut-down.ts';

export async function playDryRun(stage: ReportStage): Promise<void> {
  const { kernel } = stage;
  // What the clock does not change.
  const all = (): string =>
    JSON.stringify(kernel.modules().map(({ name, generation, state, needs, neededBy }) => [name, generation, state, needs, neededBy]));
  const before = all();
  const text = await stage.type('rmmod --dry-run udp');
  await stage.type('rmmod --dry-run netdev');
  stage.promise('a dry run says what it would wait for, and changes nothing', /wait for/.test(text) && before === all());
  stage.promise('a module that others need is refused', kernel.dryRun('netdev').refusal?.code === 'EBUSY');
}

export async function playAbort(stage: ReportStage): Promise<void> {
  const user = stage.connect('one who stays', PEERS[0]);
  await stage.type('rmmod --no-wait udp');
  await stage.pass(50);
  await stage.type('abort udp');
  stage.promise('it is live again, and its doors are open', stage.module('udp')?.state === 'live' && refusalOf(stage) === undefined);
  stage.promise('who was inside was told both, and goes on', !user.leaving && (await stage.ask(user, 500)));
  user.close();
}

export async function playReplace(stage: ReportStage): Promise<void> {
  const user = stage.connect('one of the old generation', PEERS[0]);
  const old = stage.module('udp')?.generation;
  await stage.type('replace udp udp --mode drain');
  const young = stage.connect('one of the new generation', PEERS[0]);
  stage.promise('both generations serve their sockets at once', (await stage.ask(user, 500)) && (await stage.ask(young, 500)));
  user.close();
  const gone = await stage.until(() => stage.module(`udp#${old}`) === undefined, 8000);
  stage.promise('the old one went with its last socket', gone);
  young.close();
}

export async function playShutdown(stage: ReportStage): Promise<void> {
  const { scene, session } = stage;
  await scene.web.close();
  const leaks = await scene.net.run(shutDown(scene.kernels, session.output));
  stage.promise(
    'nothing is left in any kernel',
    scene.kernels.every((kernel) => kernel.modules().length === 0 && kernel.counters().length === 0),
  );
  stage.promise('no module failed, nothing leaked', leaks.length === 0 && scene.kernels.every(({ faults }) => faults.length === 0));
}
