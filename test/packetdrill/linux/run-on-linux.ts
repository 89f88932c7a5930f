import type { ScriptTarget, ScriptVerdict } from '@softnet/testkit/packetdrill';
import { parseScript, readConfig, runOn, ScriptFailure } from '@softnet/testkit/packetdrill';
import { LinuxCalls } from './linux-calls.ts';
import { LinuxClock } from './linux-clock.ts';
import { LinuxHost } from './linux-host.ts';
import type { LinuxMachine } from './linux-machine.ts';

/** Linux's timer wheel rounds up by an eighth at most; and what it measured, and counts from, was late too. */
const LATE_SHARE = 1 / 5;
const STAMP_SLACK_US = 150_000;

/** Which script, in a namespace of which name. */
export interface LinuxRun {
  readonly namespace: string;
  readonly file: string;
  readonly text: string;
  /** What happens is written here. */
  readonly log: string[];
}

/** Runs a script on a Linux, in real time, in a namespace of its own. */
export async function runOnLinux(machine: LinuxMachine, { namespace, file, text, log }: LinuxRun): Promise<ScriptVerdict> {
  const script = parseScript(file, text);
  const config = readConfig(script.options);
  const host = await LinuxHost.boot(machine, namespace, config);
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
    return await runOn(
      target,
      { ...script, setup: null },
      { ...config, toleranceUs: Math.max(machine.toleranceUs, config.toleranceUs) },
      log,
    );
  } finally {
    await host.dispose();
  }
}
