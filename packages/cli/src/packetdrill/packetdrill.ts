import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { ScriptVerdict } from '@softnet/testkit/packetdrill';
import { describeVerdict, runScript } from '@softnet/testkit/packetdrill';
import { count } from '../text/count.ts';
import { UsageError } from '../usage-error.ts';
import { readExpectFail } from './expect-fail.ts';
import { scriptFiles } from './script-files.ts';

/** How to run scripts. */
export interface PacketdrillOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** A folder for captures, one for each script; true: beside the script. */
  readonly pcap?: string | boolean;
  readonly expectFail?: string;
  /** In the place of the scripts' `--` lines. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** NAME=VALUE: names that stand for other text. */
  readonly define?: readonly string[];
}

/** What became of a script, and of what was expected of it. */
interface Outcome {
  readonly verdict: ScriptVerdict;
  readonly expectedToFail: boolean;
  readonly asExpected: boolean;
}

/** Runs scripts one after the other, each on a kernel of its own. @returns the exit code: 0 when each did what was expected. */
export async function packetdrill(paths: readonly string[], options: PacketdrillOptions, print: (text: string) => void): Promise<number> {
  const failing = options.expectFail === undefined ? new Set<string>() : readExpectFail(options.expectFail);
  const outcomes: Outcome[] = [];
  for (const path of scriptFiles(paths)) {
    const verdict = await runFile(path, options);
    const expectedToFail = failing.has(resolve(path));
    const outcome = { verdict, expectedToFail, asExpected: verdict.passed !== expectedToFail };
    outcomes.push(outcome);
    print(options.json === true ? JSON.stringify(asJson(outcome)) : describe(outcome));
  }
  if (options.json !== true) print(summary(outcomes));
  return outcomes.every(({ asExpected }) => asExpected) ? 0 : 1;
}

async function runFile(path: string, { verbose, pcap, overrides, define = [] }: PacketdrillOptions): Promise<ScriptVerdict> {
  const chunks: Uint8Array[] = [];
  const verdict = await runScript(path, readFileSync(path, 'utf8'), {
    defines: Object.fromEntries(define.map(pairOf)),
    verbose: verbose === true,
    readFile: (name) => readBeside(path, name),
    ...(overrides === undefined ? {} : { overrides }),
    ...(pcap === undefined || pcap === false ? {} : { pcap: (bytes: Uint8Array) => chunks.push(bytes) }),
  });
  if (pcap !== undefined && pcap !== false) {
    const folder = typeof pcap === 'string' ? pcap : dirname(path);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${basename(path, '.pkt')}.pcapng`), Buffer.concat(chunks));
  }
  return verdict;
}

function pairOf(text: string): [string, string] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new UsageError(`-D takes NAME=VALUE, got '${text}'`);
  return [name, value!];
}

function readBeside(path: string, name: string): string | undefined {
  try {
    return readFileSync(resolve(dirname(path), name), 'utf8');
  } catch {
    return undefined;
  }
}

function asJson({ verdict, expectedToFail, asExpected }: Outcome): object {
  const { log, ...rest } = verdict;
  return { ...rest, expectedToFail, asExpected, ...(log.length > 0 ? { log } : {}) };
}

function describe({ verdict, expectedToFail, asExpected }: Outcome): string {
  if (!expectedToFail) return describeVerdict(verdict);
  return asExpected
    ? `${verdict.file}: failed, as expected`
    : `${verdict.file}: passed, though it is listed as one that fails: take it off the list`;
}

function summary(outcomes: readonly Outcome[]): string {
  const passed = outcomes.filter(({ verdict }) => verdict.passed).length;
  const expected = outcomes.filter(({ verdict, expectedToFail }) => !verdict.passed && expectedToFail).length;
  const wrong = outcomes.filter(({ asExpected }) => !asExpected).length;
  return `${count(outcomes.length, 'script')}: ${passed} passed, ${expected} failed as expected, ${wrong} not as expected`;
}
