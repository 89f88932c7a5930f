import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVerdict, parseScript, printScript, runScript } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { failingNames, scriptNames } from './script-names.ts';

const FOLDER = import.meta.dirname;
const failing = failingNames(FOLDER);
const scripts = scriptNames(FOLDER);

test.each(scripts)('%s', async (name) => {
  const verdict = await runScript(name, readFileSync(join(FOLDER, name), 'utf8'));
  // One that passes though it is listed is to be taken off the list.
  expect(verdict.passed, describeVerdict(verdict)).toBe(!failing.has(name));
});

test('every script that is listed as failing is there', () => {
  expect([...failing].filter((name) => !scripts.includes(name))).toEqual([]);
});

test('every script can be read, also those that fail, and is the same when it is printed', () => {
  for (const name of scripts) {
    const script = parseScript(name, readFileSync(join(FOLDER, name), 'utf8'));
    const again = parseScript(name, printScript(script));
    expect(again.events.map(({ body }) => body)).toEqual(script.events.map(({ body }) => body));
  }
});
