import type { SessionCommand } from '../session/session-command.ts';

export const abort: SessionCommand = Object.freeze({
  name: 'abort',
  parameters: '<module>',
  summary: 'call an unload off: the module is live again',
  completes: (session) => session.loadedNames(),
  async run({ kernel, output }, { words }) {
    const name = words[0]!;
    await kernel.abort(name);
    const module = kernel.module(name);
    if (module !== undefined) output.print(`${module.name}#${module.generation} is ${module.state} again`);
  },
} satisfies SessionCommand);
