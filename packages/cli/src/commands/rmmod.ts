import type { Unload, UnloadOptions, UnloadProgress } from '@softnet/kernel';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { dryRunLines, progressLine, reportLines, stageLines } from '../text/unload.ts';
import { UsageError } from '../usage-error.ts';

export const rmmod: SessionCommand = Object.freeze({
  name: 'rmmod',
  parameters: '<module>',
  options: [
    ['--dry-run', 'only say what it would do'],
    ['--cascade', 'unload the modules that need it too, first'],
    ['--force', 'close what holds it up, properly, and say what was broken'],
    ['--deadline <ms>', 'call it off when it is not gone after that time'],
    ['--no-wait', 'give the prompt back at once; `abort` calls it off'],
  ],
  summary: 'unload a module: shut its doors, wait for those inside, take it away',
  details: ['Ctrl-C while it waits calls it off: the module is live again.', 'rmmod talk', 'rmmod --cascade --deadline 5000 test-link'],
  completes: (session, _index, end) => session.loadedNames(end),
  async run(session, given) {
    const { kernel, output } = session;
    const name = given.words[0]!;
    const options = unloadOptions(given);
    if (given.options.dryRun === true) {
      const question = { name, force: options.force === true, advice: cascadeAdvice(session, given) };
      for (const line of dryRunLines(question, kernel.dryRun(name, options), output)) output.print(line);
      return;
    }
    const unload = kernel.unload(name, options);
    if (given.options.wait === false) await leaveAlone(session, unload);
    else await watch(session, unload);
  },
  advice: (session, given, { code }) => (code === 'EBUSY' ? cascadeAdvice(session, given) : undefined),
} satisfies SessionCommand);

/** What to type where others need the module. */
function cascadeAdvice({ kernel }: Session, { words: [name = ''], options: { cascade } }: Given): string | undefined {
  if (cascade === true || kernel.module(name) === undefined) return undefined;
  return kernel.dryRun(name).cascade.length > 0 ? `rmmod --cascade ${name}` : undefined;
}

function unloadOptions({ options, signal }: Given): UnloadOptions {
  const deadline = options.deadline;
  if (deadline !== undefined && !/^\d{1,9}$/.test(String(deadline))) {
    throw new UsageError(`--deadline takes a number of milliseconds, got '${deadline}'`);
  }
  return {
    cascade: options.cascade === true,
    force: options.force === true,
    ...(deadline === undefined ? {} : { deadlineMs: Number(deadline) }),
    ...(options.wait === false ? {} : { signal }),
  };
}

/** Shows each stage as a line and each step as a bar, then how it ended. */
async function watch(session: Session, unload: Unload): Promise<void> {
  const { output } = session;
  const stages = new Set<string>();
  for await (const step of unload) {
    const holders = holdersOf(session, step);
    const stage = `${step.module} ${step.state}`;
    output.status('');
    if (!stages.has(stage)) for (const line of stageLines(step, holders, output.width)) output.print(line);
    stages.add(stage);
    if (step.state === 'draining') output.status(progressLine(step, holders, output.width - 1));
  }
  output.status('');
  for (const line of reportLines(await unload, output)) output.print(line);
}

/** Waits for the first step only, which is also when a refusal is known. */
async function leaveAlone({ output }: Session, unload: Unload): Promise<void> {
  const first = await unload[Symbol.asyncIterator]().next();
  if (first.done !== true) output.print(`${unload.module} is ${first.value.state}; 'holders' says who holds it, 'abort' calls it off`);
}

/** Who holds now. The module may be gone between the step and the question. */
function holdersOf({ kernel }: Session, { module }: UnloadProgress): ReturnType<typeof kernel.holders> {
  return kernel.module(module) === undefined ? [] : kernel.holders(module);
}
