import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { Manifest, ModuleClass, ModuleContext } from '@softnet/contract';
import { Module, manifestOf } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { afterAll, describe, expect, test } from 'vitest';
import { AnswersWhileParked } from '../bad-modules/answers-while-parked.ts';
import { CorridorForgets } from '../bad-modules/corridor-forgets.ts';
import { DoorLeftOpen } from '../bad-modules/door-left-open.ts';
import { EchoModule, echoManifest } from '../bad-modules/echo.ts';
import { echoTraffic } from '../bad-modules/echo-traffic.ts';
import { ForceClosesNothing } from '../bad-modules/force-closes-nothing.ts';
import { LeakedHold } from '../bad-modules/leaked-hold.ts';
import { LeakedNodeTimer } from '../bad-modules/leaked-node-timer.ts';
import { LeakedTimer } from '../bad-modules/leaked-timer.ts';
import { ModuleLevelState } from '../bad-modules/module-level-state.ts';
import { StopNeverSettles } from '../bad-modules/stop-never-settles.ts';
import { ThawLosesBytes } from '../bad-modules/thaw-loses-bytes.ts';
import { TimerOutlivesClose } from '../bad-modules/timer-outlives-close.ts';
import { TestExchange } from '../exchange/module.ts';
import { TestLink } from '../link/module.ts';
import { TalkModule } from '../talk/module.ts';
import { complianceChecks, runCompliance } from './compliance.ts';
import type { ComplianceSubject } from './subject.ts';
import { talkTraffic } from './talk-traffic.ts';

/** The same module, of which its manifest says that it runs in real time only. */
function realTime<T extends ModuleClass>(source: T): ModuleClass {
  const real = class extends (source as ModuleClass) {};
  Module({ ...(manifestOf(source) as Manifest), realTime: true })(real);
  return real;
}

const worldOf = (seed: number): Kernel[] => {
  const world = new World({ clock: 'real', seed });
  return ['a', 'b'].map((name) => new Kernel({ world, name, seed }));
};

const good: Readonly<Record<string, ComplianceSubject>> = {
  'says so': { source: realTime(EchoModule), traffic: echoTraffic },
  'is in a real World': { source: TalkModule, needs: [TestLink, TestExchange], traffic: talkTraffic, world: worldOf },
};

describe.each(Object.entries(good))('a module that %s', (_name, subject) => {
  test.each(complianceChecks(subject).map((check) => [check.name, check] as const))('%s', async (name, { run }) => {
    const { applies, sentence } = await run();
    expect(applies).toBe(!['it goes at once', 'code is collected', 'determinism'].includes(name));
    if (name === 'determinism') expect(sentence).toMatch(/^it runs in real time/);
  });
});

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** What only a module in real time can leave. */
@Module({ ...echoManifest, name: 'leaked-server' })
class LeakedServer extends EchoModule {
  override async start(ctx: ModuleContext): Promise<void> {
    await super.start(ctx);
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  }
}

const bad: readonly (readonly [ModuleClass, check: string, says: RegExp])[] = [
  [AnswersWhileParked, 'parked objects are silent, and live again', /answered while it leaves/],
  [DoorLeftOpen, 'unload under traffic', /publishes no door/],
  [CorridorForgets, 'unload under traffic', /while it drains failed/],
  [ForceClosesNothing, 'force', /did not release/],
  [LeakedHold, 'unload under traffic', /pending after 2000000 µs of real time; still held by 1 line of leaked-hold#1 in kernel a/],
  [LeakedNodeTimer, 'leak guard', /Timeout left open/],
  [LeakedServer, 'load', /leaked-server: when all was taken down, there were 2 of Node's TCPServerWrap left open/],
  [LeakedTimer, 'leak guard', /timer/],
  [ModuleLevelState, 'kernels share nothing', /beside another kernel of it.*state at module level/],
  [StopNeverSettles, 'unload at rest', /stop has not settled/],
  [ThawLosesBytes, 'replace by hand-over', /in the midst of which it was replaced/],
  [TimerOutlivesClose, 'closed in the midst of an exchange', /timer echo.line still armed/],
];

test.each(bad.map(([source, ...rest]) => [source.name, source, ...rest] as const))(
  '%s is rejected in real time',
  async (_name, source, name, says) => {
    const check = complianceChecks({ source: realTime(source), traffic: echoTraffic, hangsAfterMs: 2000 }).find(
      (each) => each.name === name,
    )!;
    await expect(check.run()).rejects.toThrow(says);
  },
);

test('a traffic that moves nothing is rejected', async () => {
  const report = await runCompliance({
    source: realTime(EchoModule),
    traffic: async (kernels) => ({ ...(await echoTraffic(kernels)), exchange: async () => 0 }),
  });
  expect(report.results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)).toEqual(['traffic']);
});
