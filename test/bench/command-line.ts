import { parseArgs } from 'node:util';

/** What the command was asked for. */
export interface Request {
  /** Suites and works; none: all. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly json: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run bench [-- NAME...] [--rounds N] [--json FILE] [--list]
  NAME         a suite (kernel), a work (port-call), or the beginning of works ('timer-*'); default: all
  --rounds N   rounds of each subject, default 7; the table shows their median, least and greatest
  --json FILE  writes [{work, subject, unit, median, min, max, rounds}]
  --list       says what there is`;

/** @throws Error that says what was expected. */
export function readCommandLine(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '7' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a whole number from 1, got '${values.rounds}'`);
  return { names: positionals, rounds, json: values.json, list: values.list, help: values.help };
}
