import { NetError } from '@softnet/contract';
import { count } from '../text/count.ts';
import type { ReportStage } from './report-stage.ts';
import { shutDown } from './shut-down.ts';

/** One act of the report. */
export interface Act {
  readonly title: string;
  play(stage: ReportStage): Promise<void>;
}

/** The acts, in their order: each goes on where the one before ended. */
export const acts: readonly Act[] = Object.freeze([
  { title: 'two kernels, a and b, joined by a lossy cable', play: playTraffic },
  { title: 'a dry run', play: playDryRun },
  { title: 'unload under traffic', play: playUnload },
  { title: 'load again', play: playLoad },
  { title: 'replace by another build, with connections alive', play: playReplace },
  { title: 'an unload that is called off', play: playAbort },
  { title: 'an unload by force', play: playForce },
  { title: 'shutdown', play: playShutdown },
]);

async function playTraffic(stage: ReportStage): Promise<void> {
  const { cable } = stage.scene;
  await stage.pass(3000);
  const checked = stage.traffic('bytes-checked');
  stage.print(
    `${count(stage.traffic('opened'), 'connection')} opened, ${checked} bytes went there and back; ` +
      `${count(cable.sent, 'frame')} on the cable, ${cable.lost} lost`,
  );
  stage.promise('bytes move, and each is the one that was sent', checked > 0 && stage.traffic('bytes-wrong') === 0);
  await stage.type('lsmod');
}

async function playDryRun(stage: ReportStage): Promise<void> {
  const { a } = stage.scene;
  const all = (): string => JSON.stringify([a.modules(), a.holders(), a.counters()]);
  const before = all();
  await stage.type('rmmod --dry-run talk');
  await stage.type('rmmod --dry-run test-exchange');
  stage.promise('a dry run changes nothing', before === all());
  stage.promise('a module that others need is refused', a.dryRun('test-exchange').refusal?.code === 'EBUSY');
}

async function playUnload(stage: ReportStage): Promise<void> {
  const { scene } = stage;
  const { a } = scene;
  const { connection, sender } = await stage.connect('the last one');
  const unloading = stage.begin('rmmod talk');
  await stage.pass(10);
  const refusal = refusalOf(stage);
  stage.print(stage.session.describe(refusal));
  stage.promise('a new connection is refused, and told who leaves', refusal instanceof NetError && refusal.module === 'talk#1');
  stage.promise('those inside go on: 20,000 bytes more', (await scene.run(sender.move(20_000))) === 20_000);
  await stage.pass(9000);
  const left = a.holders('talk');
  stage.promise(
    `it waits for the last one, by name: ${left.map(({ owner, place }) => `${owner}, ${place}`).join('; ')}`,
    left.length === 1,
  );
  let goneUs = -1;
  const stop = a.on((event) => {
    if (event.sort === 'state' && event.module === 'talk#1' && event.to === 'gone') goneUs = scene.world.nowUs;
  });
  connection.close();
  const closedUs = connection.closed.then(() => scene.world.nowUs);
  await scene.run(unloading);
  stop();
  stage.promise('it was gone at the moment of the last close', goneUs === (await closedUs));
  stage.promise('nothing of it is left', stage.talk() === undefined && a.counters().every(({ module }) => module !== 'talk#1'));
}

/** What somebody new is told now; undefined when let in. */
function refusalOf({ scene }: ReportStage): unknown {
  try {
    scene.talk(scene.a).connect(2, 7, { owner: 'newcomer' });
    return undefined;
  } catch (error) {
    return error;
  }
}

async function playLoad(stage: ReportStage): Promise<void> {
  const before = stage.traffic('bytes-checked');
  await stage.type('modprobe talk');
  await stage.pass(3000);
  const moved = stage.traffic('bytes-checked') - before;
  stage.promise(`generation ${stage.talk()?.generation} is live, and ${moved} bytes more went there and back`, moved > 0);
}

async function playReplace(stage: ReportStage): Promise<void> {
  const { scene } = stage;
  const { connection, sender } = await stage.connect('a long one');
  const moving = sender.move(100_000);
  await stage.pass(50);
  const alive = scene.a.holders('talk').filter(({ kind }) => kind === 'connection').length;
  const [version, failed] = [stage.talk()?.version, stage.traffic('failed')];
  await stage.type('replace talk talk2');
  const now = stage.talk()?.version;
  stage.promise(`${count(alive, 'connection')} alive, and talk ${version} became ${now} in one tick`, alive > 1 && version !== now);
  stage.promise('the old build is gone', scene.a.modules().filter(({ name }) => name === 'talk').length === 1);
  stage.promise('100,000 bytes that were under way arrived, each the right one', (await scene.run(moving)) === 100_000);
  await stage.pass(3000);
  stage.promise('no connection broke, no byte was wrong', stage.traffic('failed') === failed && stage.traffic('bytes-wrong') === 0);
  connection.close();
  await stage.type('lsmod');
}

async function playAbort(stage: ReportStage): Promise<void> {
  const { sender } = await stage.connect('one who stays');
  await stage.type('rmmod --no-wait talk');
  await stage.pass(100);
  await stage.type('abort talk');
  stage.promise('it is live again', stage.talk()?.state === 'live');
  stage.promise('the doors are open again', refusalOf(stage) === undefined);
  stage.promise('who was inside never noticed: 20,000 bytes more', (await stage.scene.run(sender.move(20_000))) === 20_000);
}

async function playForce(stage: ReportStage): Promise<void> {
  const { connection } = await stage.connect('one who is in the way');
  await stage.type('rmmod --force talk');
  const end = await stage.scene.run(connection.closed);
  stage.promise(`who was inside was told why: ${end?.message}`, end?.code === 'ECONNABORTED');
  stage.promise('it is gone', stage.talk() === undefined);
  await stage.type('modprobe talk');
  await stage.pass(1000);
}

async function playShutdown(stage: ReportStage): Promise<void> {
  const { scene, session } = stage;
  const leaks = await scene.run(shutDown(scene.kernels, session.output));
  stage.promise(
    'nothing is left in either kernel',
    scene.kernels.every((kernel) => kernel.modules().length === 0 && kernel.counters().length === 0),
  );
  stage.promise('no module failed, nothing leaked', leaks.length === 0 && scene.kernels.every(({ faults }) => faults.length === 0));
}
