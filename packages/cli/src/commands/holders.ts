import type { SessionCommand } from '../session/session-command.ts';
import { holderCounts, holderTable } from '../text/holders.ts';

export const holders: SessionCommand = Object.freeze({
  name: 'holders',
  parameters: '[module]',
  summary: 'list what holds up the unload of a module, or of each',
  completes: (session) => session.loadedNames(),
  run({ kernel, output }, { words: [name] }) {
    const found = kernel.holders(name);
    if (found.length > 0) for (const line of holderTable(found, output)) output.print(line);
    output.print(`${name ?? `modules of ${kernel.name}`}: held by ${holderCounts(found)}`);
  },
} satisfies SessionCommand);
