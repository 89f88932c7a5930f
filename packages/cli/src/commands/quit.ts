import type { SessionCommand } from '../session/session-command.ts';

export const quit: SessionCommand = Object.freeze({
  name: 'quit',
  aliases: ['exit'],
  parameters: '',
  summary: 'unload everything, say what was open, and leave',
  run(session) {
    session.over = true;
  },
} satisfies SessionCommand);
