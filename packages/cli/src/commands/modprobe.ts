import type { SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { moduleSource } from './module-source.ts';

export const modprobe: SessionCommand = Object.freeze({
  name: 'modprobe',
  parameters: '[module]',
  summary: 'load a module (a known name, a bundle, a package), first what it requires',
  details: ['Without a module it lists the names that can be loaded.', 'modprobe talk', 'modprobe ./dist/echo.cjs'],
  completes: (session) => session.knownNames(),
  async run(session, { words: [word] }) {
    const { kernel, output } = session;
    if (word === undefined) {
      output.print(session.knownNames().join('  '));
      return;
    }
    const before = new Set(kernel.modules().map(labelOf));
    const { name, generation, version } = await kernel.load(moduleSource(session, word) ?? word);
    const label = `${name}#${generation}`;
    const others = kernel
      .modules()
      .map(labelOf)
      .filter((each) => each !== label && !before.has(each));
    output.print(
      `${label} (${version}) is live${others.length > 0 ? `; ${count(others.length, 'module')} loaded first: ${others.join(', ')}` : ''}`,
    );
  },
} satisfies SessionCommand);

function labelOf({ name, generation }: { readonly name: string; readonly generation: number }): string {
  return `${name}#${generation}`;
}
