import { NetError } from '@softnet/contract';
import { PEERS } from './acts-of-packets.ts';
import type { ReportStage } from './report-stage.ts';

const [PEER4, PEER6] = PEERS;

export async function playUnload(stage: ReportStage): Promise<void> {
  const { kernel } = stage;
  const last = stage.connect('the last one', PEER4);
  await stage.ask(last, 100);
  const unloading = stage.begin('rmmod udp');
  await stage.pass(10);
  const refusal = refusalOf(stage);
  stage.print(stage.session.describe(refusal));
  stage.promise('a new socket is refused, and told who leaves', refusal instanceof NetError && /^udp/.test(refusal.module ?? ''));
  stage.promise(
    'who is inside was asked to let go, and goes on: 3,000 bytes there and back',
    last.leaving && (await stage.ask(last, 3000)),
  );
  const alone = await stage.until(() => kernel.holders('udp').length === 1, 6000);
  const left = kernel.holders('udp').map(({ owner, place }) => `${owner}, ${place}`);
  stage.promise(`it waits for the last one, by name: ${left.join('; ')}`, alone && left[0]?.startsWith('the last one') === true);
  const pinged = await stage.scene.net.run(
    stage.host.ping(PEER4).then(
      () => true,
      () => false,
    ),
  );
  stage.promise('the rest of the network goes on: ping', pinged || (await stage.scene.net.run(stage.host.ping(PEER4))).rttUs > 0);
  last.close();
  await stage.scene.net.run(unloading);
  stage.promise(
    'it went with the last close, and nothing of it is left',
    stage.module('udp') === undefined && kernel.counters().every(({ module }) => module !== 'udp#1'),
  );
}

/** What somebody new is told now; undefined when let in. */
export function refusalOf(stage: ReportStage): unknown {
  try {
    stage.connect('newcomer', PEER4).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

export async function playLoad(stage: ReportStage): Promise<void> {
  const before = [stage.traffic('udp4.answered'), stage.traffic('udp6.answered')];
  await stage.type('modprobe udp');
  const moved = await stage.until(() => stage.traffic('udp4.answered') > before[0]! && stage.traffic('udp6.answered') > before[1]!, 5000);
  stage.promise(`generation ${stage.module('udp')?.generation} is live, and programs talk over both families again`, moved);
}

export async function playIpv6(stage: ReportStage): Promise<void> {
  const { kernel, host, scene } = stage;
  const answered = (sort: string): number => stage.traffic(`${sort}.answered`);
  const before4 = answered('udp4') + answered('ping4');
  await stage.type('rmmod ipv6');
  const refused = await scene.net.run(
    host.ping(PEER6).then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  stage.promise(
    `it is gone, and so is its family: ${stage.session.describe(refused)}`,
    stage.module('ipv6') === undefined && refused instanceof NetError,
  );
  const went = answered('udp4') + answered('ping4') - before4;
  const goesOn = await stage.until(() => answered('udp4') + answered('ping4') > before4 + went, 3000);
  stage.promise(`IPv4 went on: ${went} answers meanwhile`, goesOn && kernel.module('ipv4')?.generation === 1);
  const before6 = answered('udp6') + answered('ping6');
  await stage.type('modprobe ipv6');
  const back = await stage.until(() => answered('udp6') + answered('ping6') > before6, 8000);
  stage.promise('it is back, with its addresses and routes, and programs talk over it again', back);
}

export async function playForce(stage: ReportStage): Promise<void> {
  const user = stage.connect('one who is in the way', PEER4);
  await stage.type('rmmod --force udp');
  stage.promise(`who was inside was told why: ${user.ended?.message}`, user.ended !== null);
  stage.promise('it is gone', stage.module('udp') === undefined);
  await stage.type('modprobe udp');
}
