import { fork } from 'node:child_process';
import type { Measure } from './rounds.ts';
import type { Figures, Suite } from './work.ts';

/** The argument by which a child knows that it is one: `--measure WORK SUBJECT`. */
export const MEASURE = '--measure';

/** How long one round may take, ms. */
const PATIENCE_MS = 180_000;

type Answer = { readonly figures: Figures } | { readonly error: string };

/**
 * Measures each round of each subject in a new process. So no subject sees inline caches, optimised code or a heap that
 * another one (or an earlier round) left behind: what is called fresh is fresh, and the spread over the rounds includes
 * the luck of V8's decisions.
 * @param entry the program's file, which hands the arguments of a child to {@link answer}.
 */
export function inChild(entry: string): Measure {
  return (work, subject) =>
    new Promise((resolve, reject) => {
      const child = fork(entry, [MEASURE, work.name, subject.name], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], timeout: PATIENCE_MS });
      let answered: Answer | undefined;
      let said = '';
      child.stderr?.on('data', (text) => {
        said = `${said}${text}`.slice(-2000);
      });
      child.on('message', (message) => {
        answered = message as Answer;
      });
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (answered === undefined) reject(new Error(`its process ended with ${signal ?? code}${said === '' ? '' : `: ${said.trim()}`}`));
        else if ('error' in answered) reject(new Error(answered.error));
        else resolve(answered.figures);
      });
    });
}

/** The child's side: measures, tells the parent, and ends, whatever timers are still armed. */
export async function answer(suites: readonly Suite[], [workName, subjectName]: readonly string[]): Promise<void> {
  const work = suites.flatMap(({ works }) => works).find(({ name }) => name === workName);
  const subject = work?.subjects.find(({ name }) => name === subjectName);
  let message: Answer;
  try {
    if (subject === undefined) throw new Error(`there is no subject ${subjectName} of ${workName}`);
    message = { figures: await subject.measure() };
  } catch (error) {
    message = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(message, () => process.exit(0));
}
