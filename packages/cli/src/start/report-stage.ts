import type { ModuleInfo } from '@softnet/kernel';
import type { TalkConnection } from '@softnet/testkit';
import { BulkSender } from '@softnet/testkit';
import type { Session } from '../session/session.ts';
import type { Scene } from './scene.ts';

/** What the acts of the report play on: the scene, a session that types commands to kernel a, and a list of promises. */
export class ReportStage {
  readonly scene: Scene;
  readonly session: Session;
  kept = 0;
  broken = 0;
  #senders = 0;

  constructor(scene: Scene, session: Session) {
    this.scene = scene;
    this.session = session;
  }

  print(text: string): void {
    this.session.output.print(text);
  }

  /** Says whether softnet did as it promised. */
  promise(sentence: string, kept: boolean): void {
    if (kept) this.kept++;
    else this.broken++;
    this.print(`  [${kept ? 'ok' : 'BROKEN'}] ${sentence}`);
  }

  /** Types a line, and waits for its end in virtual time. */
  async type(line: string): Promise<void> {
    const well = await this.scene.run(this.begin(line));
    if (!well) this.promise(`'${line}' works`, false);
  }

  /** Types a line, and does not wait. */
  begin(line: string): Promise<boolean> {
    this.print(`${this.session.kernel.name}> ${line}`);
    return this.session.execute(line);
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return this.scene.world.advance(ms * 1000);
  }

  /** A connection from a to the echo server of b. */
  async connect(owner: string): Promise<{ readonly connection: TalkConnection; readonly sender: BulkSender }> {
    const connection = this.scene.talk(this.scene.a).connect(2, 7, { owner });
    await this.scene.run(connection.opened);
    return { connection, sender: new BulkSender(connection, 100 + this.#senders++) };
  }

  /** The newest generation of talk in a. */
  talk(): ModuleInfo | undefined {
    return this.scene.a.module('talk');
  }

  /** What the traffic modules of both kernels counted: 'bytes-checked'. */
  traffic(name: string): number {
    const counters = this.scene.kernels.flatMap((kernel) => kernel.counters());
    return counters.filter((each) => each.module.startsWith('traffic#') && each.name === name).reduce((sum, { value }) => sum + value, 0);
  }
}
