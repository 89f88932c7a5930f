import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { readCommandLine, USAGE } from './command-line.ts';
import type { Measure, WorkResult } from './rounds.ts';
import { runWork } from './rounds.ts';
import { catalogue, selectWorks } from './selection.ts';
import { Table } from './table.ts';
import type { Suite, Work } from './work.ts';
import { SOFTNET } from './work.ts';

/** Where the command writes lines. */
export interface Screen {
  out(line: string): void;
  error(line: string): void;
}

/** The command. Returns its exit code: 0, 1 when softnet itself failed in a work, 2 when it was asked for what there is not. */
export async function bench(args: readonly string[], suites: readonly Suite[], measure: Measure, screen: Screen): Promise<number> {
  try {
    const request = readCommandLine(args);
    if (request.help || request.list) {
      screen.out(request.help ? USAGE : catalogue(suites));
      return 0;
    }
    const works = selectWorks(suites, request.names);
    const save = saver(request.json);
    return await runAll(works, request.rounds, measure, screen, save);
  } catch (error) {
    screen.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

async function runAll(works: readonly Work[], rounds: number, measure: Measure, screen: Screen, save: Save): Promise<number> {
  const table = new Table(works);
  const results: WorkResult[] = [];
  screen.out(`${machine()}; ${rounds} rounds, subjects in turn`);
  for (const line of table.head()) screen.out(line);
  for (const work of works) {
    const result = await runWork(work, rounds, measure);
    results.push(result);
    for (const line of table.rows(result)) screen.out(line);
    save(results);
  }
  for (const line of [...table.foot(results), ...loadNote()]) screen.out(line);
  return results.some(({ absences }) => absences.some(({ subject, failed }) => subject === SOFTNET && failed)) ? 1 : 0;
}

type Save = (results: readonly WorkResult[]) => void;

/** Writes what there is after each work; and once before the first, so that a bad path is known at once. */
function saver(file: string | undefined): Save {
  const save: Save = (results) => {
    if (file === undefined) return;
    const rows = results.flatMap((result) => result.rows);
    writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  };
  save([]);
  return save;
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${model}, ${availableParallelism()} cores`;
}

/** Others' work on the machine widens the spread; say so. */
function loadNote(): string[] {
  const load = loadavg()[0] ?? 0;
  return load > 1.5
    ? [`Load average ${load.toFixed(1)} (this run is 1): others used the machine too, so trust ratios more than figures.`]
    : [];
}
