import type { ModuleInfo } from '@softnet/kernel';
import { completePath } from '../session/complete-path.ts';
import type { Session } from '../session/session.ts';
import type { SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { findSource, looksLikePath } from './module-source.ts';

export const modprobe: SessionCommand = Object.freeze({
  name: 'modprobe',
  parameters: '[module]',
  summary: 'load a module (a known name, a bundle, a package), first what it requires',
  details: [
    'Without a module it lists the names that can be loaded.',
    'A name that was loaded from elsewhere or replaced here stands for its last build.',
    'modprobe talk',
    'modprobe ./dist/echo.cjs',
  ],
  completes: (session, _index, end) => [...session.knownNames(), ...completePath(end)],
  async run(session, { words: [word] }) {
    const { kernel, output } = session;
    if (word === undefined) {
      output.print(session.knownNames().join('  '));
      return;
    }
    const before = new Set(kernel.modules().map(labelOf));
    const build = session.lastBuild(word) ?? word;
    const found = findSource(session, build);
    const loaded = await kernel.load(found?.source ?? word);
    session.rememberBuild(loaded.name, found?.build ?? word);
    const others = kernel
      .modules()
      .map(labelOf)
      .filter((each) => each !== labelOf(loaded) && !before.has(each));
    const first = others.length > 0 ? `; ${count(others.length, 'module')} loaded first: ${others.join(', ')}` : '';
    const last = build === word ? '' : ` (the last build of ${word})`;
    const from = found?.path ?? (build === word ? undefined : build);
    output.print(`${labelOf(loaded)} (${loaded.version}) is live${from === undefined ? '' : `, from ${from}${last}`}${first}`);
  },
  advice(session, { words: [word = ''] }, { code, module }) {
    if (code === 'EEXIST') return `rmmod ${module}, or replace ${module} PATH`;
    if (code !== 'ENOENT' || looksLikePath(word)) return undefined;
    return isUnknown(session, word) ? `modprobe PATH, or one of: ${session.knownNames().join(', ')}` : undefined;
  },
} satisfies SessionCommand);

function isUnknown(session: Session, word: string): boolean {
  return !session.knownNames().includes(word);
}

function labelOf({ name, generation }: Pick<ModuleInfo, 'name' | 'generation'>): string {
  return `${name}#${generation}`;
}
