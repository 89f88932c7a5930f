import type { SessionCommand } from '../session/session-command.ts';
import { moduleTable } from '../text/modules.ts';

export const lsmod: SessionCommand = Object.freeze({
  name: 'lsmod',
  parameters: '',
  summary: 'list the modules: state, what holds them up, who needs them',
  run({ kernel, output }) {
    for (const line of moduleTable(kernel.modules(), output)) output.print(line);
  },
} satisfies SessionCommand);
