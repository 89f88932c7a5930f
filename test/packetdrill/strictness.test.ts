import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from '@softnet/testkit/packetdrill';
import { mutantsOf, parseScript, runParsed } from '@softnet/testkit/packetdrill';
import { expect, test } from 'vitest';
import { listedNames, scriptNames } from './script-names.ts';

/** More than the usual tolerance of 4 ms. */
const LATER_US = 10_000;
const FOLDER = import.meta.dirname;
/** `SOFTNET_MUTANTS=whole`: all of them, in some ten minutes. In the suite one of every eighth script, each time of others' kinds. */
const isWhole = process.env.SOFTNET_MUTANTS === 'whole';

const failing = listedNames(FOLDER, 'expect-fail.txt');
const scripts = scriptNames(FOLDER).filter((name) => !failing.has(name));

/** One script in so many has a mutant tried. */
const SAMPLED = 8;

async function survives({ script }: Mutant): Promise<boolean> {
  return (await runParsed(script)).passed;
}

function shown(name: string, { line, what }: Mutant): string {
  return `${name}:${line}: ${what}`;
}

test('a script that expects anything else fails', { timeout: isWhole ? 3_600_000 : 60_000 }, async () => {
  const survivors: string[] = [];
  let count = 0;
  for (const [index, name] of scripts.entries()) {
    const all = mutantsOf(parseScript(name, readFileSync(join(FOLDER, name), 'utf8')), LATER_US).filter(
      ({ isExpectation }) => isExpectation,
    );
    // Of each another one, so that the sample has all kinds.
    const at = (index * 7) % all.length;
    for (const mutant of isWhole ? all : all.slice(at, at + (index % SAMPLED === 0 ? 1 : 0))) {
      count++;
      if (await survives(mutant)) survivors.push(shown(name, mutant));
    }
  }
  if (isWhole) console.log(`${count} mutants of what is expected, ${survivors.length} survive\n${survivors.join('\n')}`);
  expect(count).toBeGreaterThan(30);
  expect(survivors).toEqual([]);
});

test.runIf(isWhole)('what scripts do, changed: how much of it is seen', { timeout: isWhole ? 3_600_000 : 60_000 }, async () => {
  const survivors: string[] = [];
  let count = 0;
  for (const name of scripts) {
    const all = mutantsOf(parseScript(name, readFileSync(join(FOLDER, name), 'utf8')), LATER_US).filter(
      ({ isExpectation }) => !isExpectation,
    );
    for (const mutant of all) {
      count++;
      if (await survives(mutant)) survivors.push(shown(name, mutant));
    }
  }
  console.log(`${count} mutants of what is done, ${survivors.length} survive\n${survivors.join('\n')}`);
  expect(count).toBeGreaterThan(0);
});
