import { ShellHost } from '../shell/shell-host.ts';
import { PosixCalls } from '../system/posix-calls.ts';
import type { ScriptLimits } from './script-clock.ts';
import { VirtualClock } from './script-clock.ts';
import type { ScriptHost } from './script-host.ts';
import type { ScriptTarget, TargetLink } from './script-target.ts';

/** This kernel, in virtual time. */
export class VirtualTarget implements ScriptTarget {
  readonly clock: VirtualClock;
  readonly link: TargetLink;
  readonly calls: PosixCalls;
  readonly shell: ShellHost;
  readonly lateShare = 0;
  readonly stampSlackUs = 0;

  /** @param readFile the text of a file that shell lines name; undefined: there is none. */
  constructor(host: ScriptHost, limits: ScriptLimits, readFile: (path: string) => string | undefined) {
    this.clock = new VirtualClock(host.world, limits);
    this.link = host.link;
    this.calls = new PosixCalls(host.kernel);
    this.shell = new ShellHost(host.host, readFile);
  }
}
