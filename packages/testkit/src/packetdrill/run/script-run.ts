import { CodeLines } from '../code/code-lines.ts';
import { printEvent } from '../language/print-script.ts';
import type { Script, ScriptEvent } from '../language/script.ts';
import { buildPacket } from '../packets/build-packet.ts';
import { ShellHost } from '../shell/shell-host.ts';
import { CallContext } from '../system/call-context.ts';
import { PosixCalls } from '../system/posix-calls.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { CallRunner } from './call-runner.ts';
import { FlowBook } from './flow-book.ts';
import type { Due } from './outgoing.ts';
import { Outgoing } from './outgoing.ts';
import type { ScriptLimits } from './script-clock.ts';
import { ScriptClock } from './script-clock.ts';
import type { ScriptConfig } from './script-config.ts';
import type { ScriptHost } from './script-host.ts';
import { LineFailure, seconds } from './verdict.ts';

/** What a run is given beside its script. */
export interface ScriptRunOptions {
  readonly limits: ScriptLimits;
  /** What happens is written here; null: nowhere. */
  readonly log: string[] | null;
  readonly readFile: (path: string) => string | undefined;
}

/** One run of a script, event by event. */
export class ScriptRun {
  readonly #script: Script;
  readonly #host: ScriptHost;
  readonly #config: ScriptConfig;
  readonly #log: string[] | null;
  readonly #clock: ScriptClock;
  readonly #flows: FlowBook;
  readonly #calls: PosixCalls;
  readonly #context: CallContext;
  readonly #runner: CallRunner;
  readonly #outgoing: Outgoing;
  readonly #shell: ShellHost;
  readonly #code: CodeLines;
  /** Of the event that is under way; null: none is. */
  line: number | null = null;

  constructor(script: Script, host: ScriptHost, config: ScriptConfig, { limits, log, readFile }: ScriptRunOptions) {
    this.#script = script;
    this.#host = host;
    this.#config = config;
    this.#log = log;
    this.#clock = new ScriptClock(host.world, limits);
    this.#flows = new FlowBook(config);
    this.#calls = new PosixCalls(host.kernel);
    this.#context = new CallContext(this.#calls, config, this.#flows);
    this.#runner = new CallRunner(this.#context, this.#clock, config.toleranceUs);
    this.#outgoing = new Outgoing(host, config, this.#flows, this.#clock);
    this.#shell = new ShellHost(host.host, readFile);
    this.#code = new CodeLines(this.#context);
  }

  get nowUs(): number {
    return this.#clock.nowUs;
  }

  /** @throws LineFailure, ScriptFailure */
  async run(): Promise<void> {
    const { setup, events } = this.#script;
    if (setup !== null) this.#shell.run(setup);
    const last = events.at(-1);
    let extra = 0;
    for (const event of events) {
      this.line = event.at.line;
      if (event === last) extra = this.#host.link.sent.length;
      await this.#event(event);
    }
    await this.#runner.join();
    const isExpected = last !== undefined && last.body.kind === 'packet' && last.body.packet.direction === 'out';
    this.#refuseExtra(isExpected ? Number.POSITIVE_INFINITY : extra);
    this.#code.run();
  }

  close(): void {
    this.#calls.closeAll();
  }

  async #event(event: ScriptEvent): Promise<void> {
    const { body } = event;
    const due = this.#due(event);
    if (body.kind === 'packet' && body.packet.direction === 'out') {
      const shown = await this.#outgoing.expect(event, body.packet, due);
      this.#log?.push(`${shown}`);
      return;
    }
    if (body.kind === 'syscall') await this.#runner.join();
    await this.#reach(event, due);
    this.#log?.push(`${seconds(this.nowUs)} ${printEvent(event)}`);
    if (body.kind === 'packet') await this.#inject(event);
    if (body.kind === 'shell') this.#shell.run(body.text);
    if (body.kind === 'code') this.#code.add(body.text, event.at.line);
    if (body.kind === 'syscall') await this.#runner.make(event, body.call, this.#untilUs(event));
  }

  #due({ time: { kind, startUs, endUs } }: ScriptEvent): Due {
    if (kind === 'any') return { startUs: null, endUs: null };
    const baseUs = kind === 'relative' ? this.nowUs : 0;
    return { startUs: baseUs + startUs, endUs: baseUs + (endUs ?? startUs) };
  }

  #untilUs({ time, untilUs }: ScriptEvent): number | null {
    if (untilUs === null) return null;
    // Of a relative time, both count from the event before.
    return time.kind === 'relative' ? untilUs + this.nowUs - time.startUs : untilUs;
  }

  async #reach(event: ScriptEvent, { startUs }: Due): Promise<void> {
    if (startUs === null) return;
    const lateUs = this.nowUs - startUs;
    if (lateUs > this.#config.toleranceUs) {
      throw new LineFailure(event.at.line, `it is due at ${seconds(startUs)}, and it is ${seconds(this.nowUs)} already`, printEvent(event));
    }
    await this.#clock.advanceTo(Math.max(startUs, this.nowUs));
  }

  async #inject({ body }: ScriptEvent): Promise<void> {
    if (body.kind !== 'packet') return;
    const { packet } = body;
    const flow = this.#flows.of(packet);
    if (packet.upper.kind === 'tcp') {
      const isSyn = packet.upper.flags.includes('S');
      // What answers a SYN of another number may have a number of its own.
      if (isSyn && flow.remoteIsn !== null && flow.remoteIsn !== packet.upper.seq) flow.sawLocalSyn = false;
      if (isSyn) flow.remoteIsn = packet.upper.seq;
      else flow.isUnderWay = true;
    }
    this.#host.link.inject(buildPacket(packet, flow, this.#config.wireVersion));
    await this.#clock.advanceTo(this.nowUs);
  }

  #refuseExtra(most: number): void {
    const extra = this.#outgoing.leftovers(most);
    if (extra.length === 0) return;
    if (this.line === null) throw new ScriptFailure('packets were sent that the script does not expect');
    throw new LineFailure(this.line, `${extra.length} packets were sent that no line expects`, 'nothing more', extra.join('\n          '));
  }
}
