import { NetError } from '@softnet/contract';
import type { SessionCommand } from '../session/session-command.ts';

export const use: SessionCommand = Object.freeze({
  name: 'use',
  parameters: '<kernel>',
  summary: 'send the commands that follow to another kernel',
  completes: ({ kernels }) => kernels.map(({ name }) => name),
  run(session, { words }) {
    const name = words[0]!;
    const found = session.kernels.find((kernel) => kernel.name === name);
    if (found === undefined) {
      const names = session.kernels.map((kernel) => kernel.name).join(', ');
      throw new NetError('ENOENT', `there is no kernel '${name}': there is ${names}`);
    }
    session.kernel = found;
    session.output.print(`commands go to kernel ${name} now`);
  },
} satisfies SessionCommand);
