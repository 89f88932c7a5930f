import type { Kernel, ModuleSource } from '@softnet/kernel';
import type { TwoHosts } from '@softnet/testkit';
import { echo, TalkModule, TestExchange, TestLink, twoHosts } from '@softnet/testkit';
import { commands } from '../commands/commands.ts';
import { bootNetwork } from '../start/network-scene.ts';
import type { Scene } from '../start/scene.ts';
import { kernelOptions } from '../start/scene.ts';
import { noPaint } from '../text/paint.ts';
import type { Output } from './output.ts';
import { Session } from './session.ts';
import { talk2 } from './talk2.ts';

/** A session for tests: lines are fed, and what would be on the screen is read. */
export interface TestSession<S = Scene> {
  readonly scene: S;
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

/** Two hosts and a router with traffic, on virtual time, after `ms` of it. Cables lose nothing: each answer comes. */
export async function testSession({ ms = 700, debug = false, seed = 1 } = {}): Promise<TestSession> {
  const scene = await bootNetwork({ clock: 'virtual', seed, debug });
  const { net, kernels, catalogue } = scene;
  for (const cable of net.cables) cable.set({ loss: 0, duplicate: 0, reorder: 0 });
  const pass = (passMs: number): Promise<void> => net.pass(passMs);
  await pass(ms);
  return sessionOver(scene, { kernels, catalogue, debug, pass, run: (promise) => net.run(promise) });
}

/** Two kernels with talk, which hands over and of which there is a second build: what a module can be, whatever its protocol. */
export async function talkSession(): Promise<TestSession<TwoHosts>> {
  const hosts = await twoHosts({ kernel: kernelOptions(false) });
  const catalogue = { 'test-link': TestLink, 'test-exchange': TestExchange, talk: TalkModule, talk2: await talk2() };
  for (const kernel of hosts.kernels) kernel.offer(TestLink, TestExchange, TalkModule);
  hosts.talk(hosts.b).listen(7, { owner: 'server' }).onConnection = echo;
  const pass = (ms: number): Promise<void> => hosts.world.advance(ms * 1000);
  return sessionOver(hosts, { kernels: hosts.kernels, catalogue, debug: false, pass, run: (promise) => hosts.run(promise) });
}

interface Ground {
  readonly kernels: readonly Kernel[];
  readonly catalogue: Readonly<Record<string, ModuleSource>>;
  readonly debug: boolean;
  pass(ms: number): Promise<void>;
  run(promise: PromiseLike<unknown>): Promise<unknown>;
}

function sessionOver<S>(scene: S, { kernels, catalogue, debug, pass, run }: Ground): TestSession<S> {
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
  const session = new Session({ kernels, commands, catalogue, output, debug });
  const printed = (): string => {
    const all = text;
    text = '';
    return all;
  };
  const type = async (line: string): Promise<string> => {
    printed();
    await run(session.execute(line));
    return printed();
  };
  return { scene, session, statuses, printed, pass, type };
}
