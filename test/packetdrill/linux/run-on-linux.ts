import type { ScriptTarget, ScriptVerdict } from '@softnet/testkit';
import { parseScript, readConfig, runOn, ScriptFailure } from '@softnet/testkit';
import { LinuxCalls } from './linux-calls.ts';
import { LinuxClock } from './linux-clock.ts';
import { LinuxHost } from './linux-host.ts';

/** Programs and processes are late by so much on a machine that is busy. */
const TOLERANCE_US = 30_000;
/** Linux's timer wheel rounds up by an eighth at most; and what it measured, and counts from, was late too. */
const LATE_SHARE = 1 / 5;
const STAMP_SLACK_US = 150_000;

/** Runs a script on this machine's Linux, in real time, in a namespace of its own. @param name of the namespace. */
export async function runOnLinux(name: string, file: string, text: string, log: string[] | null = null): Promise<ScriptVerdict> {
  const script = parseScript(file, text);
  const config = readConfig(script.options);
  const host = await LinuxHost.boot(name, config);
  try {
    const shell = {
      run: (command: string) => {
        const [code, said] = host.ask('shell', command) as [number, string];
        if (code !== 0 || said !== '') throw new ScriptFailure(`'${command}' answered ${code}: ${said}`);
      },
    };
    if (script.setup !== null) shell.run(script.setup);
    const clock = new LinuxClock(host, config.wireVersion);
    const calls = new LinuxCalls(host, clock);
    const target: ScriptTarget = { clock, link: clock.link, calls, shell, lateShare: LATE_SHARE, stampSlackUs: STAMP_SLACK_US };
    return await runOn(target, { ...script, setup: null }, { ...config, toleranceUs: Math.max(TOLERANCE_US, config.toleranceUs) }, log);
  } finally {
    await host.dispose();
  }
}
