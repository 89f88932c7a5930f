import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVerdict } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { skipAloud } from '../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../interop/linux/netns.ts';
import { runOnLinux } from './linux/run-on-linux.ts';
import { scriptNames } from './script-names.ts';

const FOLDER = import.meta.dirname;
/**
 * Which scripts: by the beginnings of their names, 'tcp' or 'tcp/close-,tcp/open-'. Unset: a few that wait for nothing. All take some minutes, in real time.
 */
const wanted = (process.env.SOFTNET_ON_LINUX ?? 'tcp/open-passive,tcp/close-active,tcp/receive-out-of-order,tcp/send-initial-window').split(
  ',',
);
const names = scriptNames(FOLDER).filter((name) => wanted.some((start) => name.startsWith(start)));

describe.skipIf(skipAloud('scripts on this machine’s Linux', netnsSkipReason()))('on this machine’s Linux', () => {
  test.concurrent.each(names.map((name, index) => [name, index] as const))('%s', { timeout: 300_000 }, async (name, index) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const log: string[] = [];
    const verdict = await runOnLinux(`packetdrill-${process.pid}-${index}`, name, text, log);
    expect(verdict.passed, describeVerdict({ ...verdict, log: process.env.SOFTNET_ON_LINUX_LOG === undefined ? [] : log })).toBe(true);
  });
});
