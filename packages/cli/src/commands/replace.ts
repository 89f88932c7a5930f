import { NetError } from '@softnet/contract';
import type { ReplaceOptions, ReplaceReport } from '@softnet/kernel';
import { completePath } from '../session/complete-path.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { UsageError } from '../usage-error.ts';
import { findSource } from './module-source.ts';

const MODES = Object.freeze(['drain', 'handover'] as const);

export const replace: SessionCommand = Object.freeze({
  name: 'replace',
  parameters: '<module> <source>',
  options: [['--mode <mode>', '`drain`: the old generation finishes what it has; `handover`: the new one adopts it', MODES]],
  summary: 'replace a live module by another build of it (a known name, a bundle, a package)',
  details: [
    'Without --mode it hands over where both builds can, else drains.',
    'replace talk talk2 --mode drain',
    'replace echo ./dist/echo.cjs',
  ],
  completes: (session, index, end) => (index === 0 ? session.loadedNames(end) : [...session.knownNames(), ...completePath(end)]),
  async run(session, given) {
    const [name, word] = given.words as [string, string];
    const found = findSource(session, word);
    if (found === undefined || typeof found.source === 'string') {
      throw new NetError(
        'ENOENT',
        `there is no other build '${word}': give a path to a bundle, or one of ${Object.keys(session.catalogue).join(', ')}`,
      );
    }
    const { kernel, output } = session;
    const report = await kernel.replace(name, found.source, replaceOptions(given));
    const young = kernel.module(report.to);
    if (young !== undefined) session.rememberBuild(young.name, found.build);
    for (const line of replaceLines(report)) output.print(line);
    if (found.path !== undefined) output.print(`${report.to} (${young?.version}) comes from ${found.path}`);
    const left = kernel.module(report.from)?.usage.holds ?? 0;
    if (left > 0) output.print(`${report.from} drains: ${count(left, 'hold')} left`);
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
