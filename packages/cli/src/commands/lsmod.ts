import type { SessionCommand } from '../session/session-command.ts';
import { moduleTable } from '../text/modules.ts';

export const lsmod: SessionCommand = Object.freeze({
  name: 'lsmod',
  parameters: '',
  summary: 'list the modules: state, what holds them up, who needs them',
  details: [
    'HOLDS    what its unload would wait for: objects in use (connections, say), and what tallies count; holders names them',
    'OBJECTS  all objects that it has now: those, and the parked and kept that an unload closes itself',
  ],
  run({ kernel, output }) {
    for (const line of moduleTable(kernel.modules(), output)) output.print(line);
  },
} satisfies SessionCommand);
