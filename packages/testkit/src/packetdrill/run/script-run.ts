import { CodeLines } from '../code/code-lines.ts';
import { printEvent } from '../language/print-script.ts';
import type { Script, ScriptEvent } from '../language/script.ts';
import { buildPacket } from '../packets/build-packet.ts';
import { CallContext } from '../system/call-context.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { CallRunner } from './call-runner.ts';
import { FlowBook } from './flow-book.ts';
import type { Due } from './outgoing.ts';
import { Outgoing } from './outgoing.ts';
import type { ScriptConfig } from './script-config.ts';
import type { ScriptTarget } from './script-target.ts';
import { LineFailure, seconds } from './verdict.ts';

/** One run of a script, event by event. */
export class ScriptRun {
  readonly #script: Script;
  readonly #target: ScriptTarget;
  readonly #config: ScriptConfig;
  readonly #log: string[] | null;
  readonly #flows: FlowBook;
  readonly #runner: CallRunner;
  readonly #outgoing: Outgoing;
  readonly #code: CodeLines;
  /** Of the event that is under way; null: none is. */
  line: number | null = null;

  /** What happened last, and when: relative times count from it. */
  #lastUs = 0;

  /** @param log what happens is written here; null: nowhere. */
  constructor(script: Script, target: ScriptTarget, config: ScriptConfig, log: string[] | null = null) {
    this.#script = script;
    this.#target = target;
    this.#config = config;
    this.#log = log;
    this.#flows = new FlowBook(config);
    const context = new CallContext(target, config, this.#flows);
    this.#runner = new CallRunner(context, target.clock, config.toleranceUs);
    this.#outgoing = new Outgoing(target, config, this.#flows);
    this.#code = new CodeLines(context);
  }

  get nowUs(): number {
    return this.#target.clock.nowUs;
  }

  /** @throws LineFailure, ScriptFailure */
  async run(): Promise<void> {
    const { setup, events } = this.#script;
    if (setup !== null) this.#target.shell.run(setup);
    const last = events.at(-1);
    let extra = 0;
    for (const event of events) {
      this.line = event.at.line;
      if (event === last) extra = this.#target.link.sent.length;
      await this.#event(event);
    }
    await this.#runner.join();
    await this.#target.clock.advanceTo(this.nowUs);
    const isExpected = last !== undefined && last.body.kind === 'packet' && last.body.packet.direction === 'out';
    this.#refuseExtra(isExpected ? Number.POSITIVE_INFINITY : extra);
    this.#code.run();
  }

  close(): void {
    this.#target.calls.closeAll();
  }

  async #event(event: ScriptEvent): Promise<void> {
    const { body } = event;
    if (body.kind === 'syscall') this.#lastUs = Math.max(this.#lastUs, await this.#runner.join());
    const due = this.#due(event);
    if (body.kind === 'packet' && body.packet.direction === 'out') {
      const { shown, sentUs } = await this.#outgoing.expect(event, body.packet, due);
      this.#log?.push(shown);
      this.#lastUs = this.#target.clock.happened(Math.max(this.#lastUs, sentUs));
      return;
    }
    await this.#reach(event, due);
    const atUs = this.nowUs;
    this.#log?.push(`${seconds(this.nowUs)} ${printEvent(event)}`);
    if (body.kind === 'packet') await this.#inject(event);
    if (body.kind === 'shell') this.#target.shell.run(body.text);
    if (body.kind === 'code') this.#code.add(body.text, event.at.line);
    if (body.kind === 'syscall') {
      const untilUs = this.#untilUs(event, atUs);
      await this.#runner.make(event, body.call, untilUs, this.#lateUs((untilUs ?? atUs) - this.#lastUs));
    }
    this.#lastUs = this.#target.clock.happened(atUs);
  }

  #due({ time: { kind, startUs, endUs } }: ScriptEvent): Due {
    if (kind === 'any') return { startUs: null, endUs: null, lateUs: this.#config.toleranceUs };
    const baseUs = kind === 'relative' ? this.#lastUs : 0;
    const end = baseUs + (endUs ?? startUs);
    return { startUs: baseUs + startUs, endUs: end, lateUs: this.#lateUs(end - this.#lastUs) };
  }

  #lateUs(waitUs: number): number {
    return this.#config.toleranceUs + Math.round(waitUs * this.#target.lateShare);
  }

  #untilUs({ time, untilUs }: ScriptEvent, atUs: number): number | null {
    if (untilUs === null) return null;
    // Of a relative time, both count from the event before.
    return time.kind === 'relative' ? untilUs + atUs - time.startUs : untilUs;
  }

  async #reach(event: ScriptEvent, { startUs }: Due): Promise<void> {
    if (startUs === null) return;
    const lateUs = this.nowUs - startUs;
    if (lateUs > this.#config.toleranceUs) {
      throw new LineFailure(event.at.line, `it is due at ${seconds(startUs)}, and it is ${seconds(this.nowUs)} already`, printEvent(event));
    }
    await this.#target.clock.advanceTo(Math.max(startUs, this.nowUs));
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
    this.#target.link.inject(buildPacket(packet, flow, this.#config.wireVersion));
    await this.#target.clock.advanceTo(this.nowUs);
  }

  #refuseExtra(most: number): void {
    const extra = this.#outgoing.leftovers(most);
    if (extra.length === 0) return;
    if (this.line === null) throw new ScriptFailure('packets were sent that the script does not expect');
    throw new LineFailure(this.line, `${extra.length} packets were sent that no line expects`, 'nothing more', extra.join('\n          '));
  }
}
