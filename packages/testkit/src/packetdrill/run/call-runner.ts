import { printExpression } from '../language/print-expression.ts';
import { printEvent } from '../language/print-script.ts';
import type { ScriptEvent, SyscallSpec } from '../language/script.ts';
import type { CallContext, MadeCall } from '../system/call-context.ts';
import { errnoName } from '../system/constants.ts';
import { numberOf } from '../system/evaluate.ts';
import { FILE_CALLS } from '../system/file-calls.ts';
import { MESSAGE_CALLS } from '../system/message-calls.ts';
import { OPTION_CALLS } from '../system/option-calls.ts';
import { POLL_CALLS } from '../system/poll-calls.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { SOCKET_CALLS } from '../system/socket-calls.ts';
import type { ScriptClock } from './script-clock.ts';
import { LineFailure, seconds } from './verdict.ts';

const CALLS: Readonly<Record<string, (context: CallContext, args: SyscallSpec['args']) => MadeCall>> = Object.freeze({
  ...SOCKET_CALLS,
  ...MESSAGE_CALLS,
  ...OPTION_CALLS,
  ...POLL_CALLS,
  ...FILE_CALLS,
});

/** A call that is under way. */
interface PendingCall {
  readonly event: ScriptEvent;
  readonly spec: SyscallSpec;
  readonly made: MadeCall;
  readonly untilUs: number;
  readonly lateUs: number;
  readonly settled: Promise<void>;
  answer: number | null;
  endedUs: number;
}

/** Makes the calls of a script, one at a time, and looks at what they answer. */
export class CallRunner {
  readonly #context: CallContext;
  readonly #clock: ScriptClock;
  readonly #toleranceUs: number;
  #pending: PendingCall | null = null;

  constructor(context: CallContext, clock: ScriptClock, toleranceUs: number) {
    this.#context = context;
    this.#clock = clock;
    this.#toleranceUs = toleranceUs;
  }

  /** @param untilUs when it returns; null: at once. @param lateUs so much later it may. @throws LineFailure, ScriptFailure */
  async make(event: ScriptEvent, spec: SyscallSpec, untilUs: number | null, lateUs: number): Promise<void> {
    if (!Object.hasOwn(CALLS, spec.name)) throw new ScriptFailure(`there is no call '${spec.name}'`);
    const made = CALLS[spec.name]!(this.#context, spec.args);
    if (untilUs === null) {
      this.#look(event, spec, made, await this.#atOnce(made));
      return;
    }
    const pending: PendingCall = {
      event,
      spec,
      made,
      untilUs,
      lateUs,
      settled: this.#follow(made, () => pending),
      answer: null,
      endedUs: -1,
    };
    this.#pending = pending;
    await this.#clock.advanceTo(this.#clock.nowUs);
  }

  async #atOnce({ answer }: MadeCall): Promise<number> {
    if (typeof answer === 'number') return answer;
    let given: number | null = null;
    void answer.then((value) => {
      given = value;
    });
    await this.#clock.advanceTo(this.#clock.nowUs);
    if (given === null) throw new ScriptFailure("the call blocks, and the script has no 'a...b' that says until when");
    return given;
  }

  async #follow({ answer }: MadeCall, pending: () => PendingCall): Promise<void> {
    const value = await answer;
    pending().answer = value;
    pending().endedUs = this.#clock.nowUs;
  }

  /** Waits for the call that blocks, if there is one. @returns when it ended; 0: there was none. @throws LineFailure when it returns early, late or never, or with something else. */
  async join(): Promise<number> {
    const pending = this.#pending;
    if (pending === null) return 0;
    this.#pending = null;
    const { event, spec, made, untilUs, lateUs } = pending;
    if (pending.answer === null) await this.#clock.until(pending.settled, untilUs + lateUs);
    const { line } = event.at;
    if (pending.answer === null)
      throw new LineFailure(line, `the call has not returned by ${seconds(untilUs + lateUs)}`, printEvent(event));
    const offUs = pending.endedUs - untilUs;
    if (offUs < -this.#toleranceUs || offUs > lateUs) {
      const how = offUs < 0 ? 'early' : 'late';
      throw new LineFailure(
        line,
        `the call returned at ${seconds(pending.endedUs)}, ${seconds(Math.abs(offUs))} ${how}`,
        printEvent(event),
      );
    }
    this.#look(event, spec, made, pending.answer);
    return pending.endedUs;
  }

  #look(event: ScriptEvent, spec: SyscallSpec, made: MadeCall, answer: number): void {
    const { line } = event.at;
    if (!this.#isExpected(spec, made, answer)) {
      const shown = answer < 0 ? `-1 ${errnoName(-answer)}` : String(answer);
      const { result, errno } = spec;
      throw new LineFailure(
        line,
        `${spec.name} answered ${shown}, not ${printExpression(result)}${errno === null ? '' : ` ${errno}`}`,
        printEvent(event),
      );
    }
    if (answer < 0) return;
    try {
      made.verify?.(answer);
    } catch (error) {
      if (error instanceof ScriptFailure) throw new LineFailure(line, `${spec.name}: ${error.message}`, printEvent(event));
      throw error;
    }
  }

  #isExpected({ result, errno }: SyscallSpec, { opens, names }: MadeCall, answer: number): boolean {
    if (result.kind === 'ellipsis') return true;
    const expected = numberOf(result);
    if (answer < 0) return expected === -1 && (errno === null || errnoName(-answer) === errno);
    if (expected < 0 || errno !== null) return false;
    if (names !== undefined) {
      names(expected);
      return true;
    }
    if (opens === undefined) return expected === answer;
    this.#context.opened(expected, answer, opens);
    return true;
  }
}
