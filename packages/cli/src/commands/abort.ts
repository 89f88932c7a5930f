import type { SessionCommand } from '../session/session-command.ts';

export const abort: SessionCommand = Object.freeze({
  name: 'abort',
  parameters: '<module>',
  summary: 'call an unload off: the module is live again',
  details: ["A bare name means the newest generation; 'abort talk#1' means that one."],
  completes: (session, _index, end) => session.loadedNames(end),
  async run({ kernel, output }, { words }) {
    const name = words[0]!;
    await kernel.abort(name);
    const module = kernel.module(name);
    if (module !== undefined) output.print(`${module.name}#${module.generation} is ${module.state} again`);
  },
  advice(session, { words: [word = ''] }, { code }) {
    const meant = session.kernel.module(word);
    if (meant === undefined) return undefined;
    const newest = session.generationsOf(meant.name).at(-1);
    const own = `${meant.name}#${meant.generation}`;
    if (code === 'EBUSY' && own !== newest) return `rmmod ${newest} first`;
    if (code !== 'EINVAL' || word === own) return undefined;
    const leaving = session.kernel.modules().filter(({ name, state }) => name === meant.name && /^(?:withdrawing|draining)$/.test(state));
    const said = leaving.map(({ name, generation, state }) => `${name}#${generation} is ${state}: abort ${name}#${generation}`);
    return said.length === 0 ? undefined : `${said.join('; ')}, when ${own} is gone`;
  },
} satisfies SessionCommand);
