import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import type { Kernel, ModuleInfo } from '@softnet/kernel';
import type { NetHost } from '@softnet/testkit';
import { DatagramUser } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import type { RecordingOutput } from '../session/recording-output.ts';
import type { Session } from '../session/session.ts';
import type { Scene } from './scene.ts';

/** Where udp-echo is (RFC 862). */
const ECHO_PORT = 7;
const STEP_MS = 10;
/** A datagram may be lost: so often it is asked again, and so long an answer is waited for. */
const TRIES = 20;
const PATIENCE_MS = 400;

/** What the acts of the report play on: the scene, a session that types commands to kernel a, and a list of promises. */
export class ReportStage {
  readonly scene: Scene;
  readonly session: Session;
  kept = 0;
  broken = 0;
  readonly #output: RecordingOutput;
  #asked = 0;

  constructor(scene: Scene, session: Session, output: RecordingOutput) {
    this.scene = scene;
    this.session = session;
    this.#output = output;
  }

  /** The host that commands go to. */
  get host(): NetHost {
    return this.scene.hosts[0]!;
  }

  get kernel(): Kernel {
    return this.host.kernel;
  }

  print(text: string): void {
    this.#output.print(text);
  }

  /** Says whether softnet did as it promised. */
  promise(sentence: string, kept: boolean): void {
    if (kept) this.kept++;
    else this.broken++;
    this.print(`  [${kept ? 'ok' : 'FAILED'}] ${sentence}`);
  }

  /** Types a line, and waits for its end. What it printed; a line that fails is a broken promise. */
  async type(line: string): Promise<string> {
    this.#output.take();
    const well = await this.scene.net.run(this.begin(line));
    if (!well) this.promise(`'${line}' works`, false);
    return this.#output.take();
  }

  /** Types a line whose packets may be lost, a few times if need be. What it printed when it did. */
  async typeUntil(line: string, wanted: RegExp, tries = 5): Promise<string> {
    let text = '';
    for (let turn = 0; turn < tries && !wanted.test(text); turn++) {
      this.#output.take();
      await this.scene.net.run(this.begin(line));
      text = this.#output.take();
    }
    return text;
  }

  /** Types a line, and does not wait. */
  begin(line: string): Promise<boolean> {
    this.print(`${this.session.kernel.name}> ${line}`);
    return this.session.execute(line);
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    return this.scene.net.pass(ms);
  }

  /** Lets time pass until it is so. False: it was not, in all that time. */
  async until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += STEP_MS) {
      if (isSo()) return true;
      await this.pass(STEP_MS);
    }
    return isSo();
  }

  /** A program with a socket to the echo service at `address`. @throws NetError */
  connect(name: string, address: string): DatagramUser {
    const family = parseAddress(address)?.family ?? ADDRESS_FAMILY.INET;
    const user = new DatagramUser(this.kernel, { name, family });
    user.connect(address, ECHO_PORT);
    return user;
  }

  /** Has so many bytes sent back, and checks each; asks again where a datagram is lost. True: all came back as they were sent. */
  async ask(user: DatagramUser, lenBytes: number): Promise<boolean> {
    const seed = ++this.#asked;
    const data = new Uint8Array(lenBytes).map((_, at) => at * 13 + seed * 101 + (at >> 8));
    for (let turn = 0; turn < TRIES; turn++) {
      if (user.trySend(data) < 0) await this.pass(STEP_MS);
      let same = false;
      const answered = (): boolean => {
        const answer = user.tryReceive();
        if (typeof answer !== 'number') same = isSame(answer.data, data);
        return same || (typeof answer === 'number' && answer !== -ERRNO.EAGAIN);
      };
      await this.until(answered, PATIENCE_MS);
      if (same) return true;
    }
    return false;
  }

  /** The newest generation of a module in kernel a. */
  module(name: string): ModuleInfo | undefined {
    return this.kernel.module(name);
  }

  /** What the programs of both hosts counted: 'udp4.answered', or 'answered' of all. */
  traffic(name: string): number {
    const counters = this.scene.kernels.flatMap((kernel) => kernel.counters());
    const own = counters.filter((each) => each.module.startsWith('traffic#') && (each.name === name || each.name.endsWith(`.${name}`)));
    return own.reduce((sum, { value }) => sum + value, 0);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
