import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVerdict, parseScript, printScript, runScript } from '@softnet/testkit/packetdrill';
import { expect, test } from 'vitest';
import { listedNames, scriptNames } from './script-names.ts';

const FOLDER = import.meta.dirname;
const failing = listedNames(FOLDER, 'expect-fail.txt');
const scripts = scriptNames(FOLDER);

test.each(scripts)('%s', async (name) => {
  const verdict = await runScript(name, readFileSync(join(FOLDER, name), 'utf8'));
  // One that passes though it is listed is to be taken off the list.
  expect(verdict.passed, describeVerdict(verdict)).toBe(!failing.has(name));
});

test('every script that is listed is there', () => {
  const listed = [...failing, ...listedNames(FOLDER, 'differs-on-linux.txt')];
  expect(listed.filter((name) => !scripts.includes(name))).toEqual([]);
});

test('every script can be read, also those that fail, and is the same when it is printed', () => {
  for (const name of scripts) {
    const script = parseScript(name, readFileSync(join(FOLDER, name), 'utf8'));
    const again = parseScript(name, printScript(script));
    expect(again.events.map(({ body }) => body)).toEqual(script.events.map(({ body }) => body));
  }
});
