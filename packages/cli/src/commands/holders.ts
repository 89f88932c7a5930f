import type { SessionCommand } from '../session/session-command.ts';
import { holderCounts, holderTable } from '../text/holders.ts';

const SHOWN = 20;

export const holders: SessionCommand = Object.freeze({
  name: 'holders',
  parameters: '[module]',
  summary: 'list what holds up the unload of a module, or of each',
  details: [
    `Of all modules it shows ${SHOWN}; of one all. 'holders talk' is about all generations of talk, 'holders talk#2' about that one.`,
  ],
  completes: (session, _index, end) => session.loadedNames(end),
  run(session, { words: [name] }) {
    const { kernel, output } = session;
    const labels = name === undefined ? [] : session.generationsOf(name);
    // Of what is not loaded the kernel says so.
    const found = labels.length === 0 ? kernel.holders(name) : labels.flatMap((label) => kernel.holders(label));
    if (found.length > 0)
      for (const line of holderTable(found, output, { limit: name === undefined ? SHOWN : found.length })) output.print(line);
    const subject = labels.length > 1 ? `${name} (${labels.join(', ')})` : (name ?? `modules of ${kernel.name}`);
    output.print(`${subject}: held by ${holderCounts(found)}`);
  },
} satisfies SessionCommand);
