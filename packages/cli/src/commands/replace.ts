import { NetError } from '@softnet/contract';
import type { ReplaceOptions, ReplaceReport } from '@softnet/kernel';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { UsageError } from '../usage-error.ts';
import { moduleSource } from './module-source.ts';

export const replace: SessionCommand = Object.freeze({
  name: 'replace',
  parameters: '<module> <source>',
  options: [['--mode <mode>', '`drain`: the old generation finishes what it has; `handover`: the new one adopts it']],
  summary: 'replace a live module by another build of it (a known name, a bundle, a package)',
  details: [
    'Without --mode it hands over where both builds can, else drains.',
    'replace talk talk2 --mode drain',
    'replace echo ./dist/echo.cjs',
  ],
  completes: (session, index) => (index === 0 ? session.loadedNames() : session.knownNames()),
  async run(session, given) {
    const [name, word] = given.words as [string, string];
    const source = moduleSource(session, word);
    if (source === undefined) {
      throw new NetError(
        'ENOENT',
        `there is no other build '${word}': give a path to a bundle, or one of ${Object.keys(session.catalogue).join(', ')}`,
      );
    }
    const report = await session.kernel.replace(name, source, replaceOptions(given));
    for (const line of replaceLines(report)) session.output.print(line);
    const left = session.kernel.module(report.from)?.usage.holds ?? 0;
    if (left > 0) session.output.print(`${report.from} drains: ${count(left, 'hold')} left`);
  },
} satisfies SessionCommand);

/** How a replace went. */
function replaceLines({ from, to, mode, adopted }: ReplaceReport): string[] {
  const moved = Object.entries(adopted).map(([kind, number]) => count(number, kind));
  return [`${to} has taken the place of ${from} (${mode}); adopted: ${moved.join(', ') || 'nothing'}`];
}

function replaceOptions({ options: { mode } }: Given): ReplaceOptions {
  if (mode === undefined) return {};
  if (mode === 'drain' || mode === 'handover') return { mode };
  throw new UsageError(`--mode is 'drain' or 'handover', got '${mode}'`);
}
