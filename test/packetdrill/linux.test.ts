import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVerdict } from '@softnet/testkit/packetdrill';
import { describe, expect, test } from 'vitest';
import { skipAloud } from '../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../interop/linux/netns.ts';
import { guestMachine, THIS_MACHINE } from './linux/linux-machine.ts';
import { runOnLinux } from './linux/run-on-linux.ts';
import { listedNames, scriptNames } from './script-names.ts';

const FOLDER = import.meta.dirname;
/** What `npm test` tries: scripts in which Linux has no timer to be late for, however busy the machine. */
const FEW = 'tcp/open-passive,tcp/receive-out-of-order,tcp/reset-exact,tcp/state-listen-ignores';
const PATIENT_US = 300_000;
/** Which scripts, by the beginnings of their names: `SOFTNET_ON_LINUX=tcp` runs all of TCP, in some minutes of real time. */
const wanted = (process.env.SOFTNET_ON_LINUX ?? FEW).split(',');
/** A guest of linux-peer, by its name: an older kernel. Unset: this machine. */
const guest = process.env.SOFTNET_ON_LINUX_GUEST;
const isVerbose = process.env.SOFTNET_ON_LINUX_LOG !== undefined;
const here = process.env.SOFTNET_ON_LINUX === undefined ? { ...THIS_MACHINE, toleranceUs: PATIENT_US } : THIS_MACHINE;
const machine = guest === undefined ? here : guestMachine(guest);
const reason = guest === undefined ? netnsSkipReason() : null;
const differing = listedNames(FOLDER, 'differs-on-linux.txt');
const names = scriptNames(FOLDER).filter((name) => wanted.some((start) => name.startsWith(start)));

describe.skipIf(skipAloud('scripts on Linux', reason))('on Linux', () => {
  test.concurrent.each(names.map((name, index) => [name, index] as const))('%s', { timeout: 300_000 }, async (file, index) => {
    const log: string[] = [];
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const verdict = await runOnLinux(machine, { namespace: `packetdrill-${process.pid}-${index}`, file, text, log });
    expect(verdict.passed, describeVerdict({ ...verdict, log: isVerbose ? log : [] })).toBe(!differing.has(file));
  });
});
