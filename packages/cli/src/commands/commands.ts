import type { SessionCommand } from '../session/session-command.ts';
import { abort } from './abort.ts';
import { capture } from './capture.ts';
import { ethtool } from './ethtool.ts';
import { forward } from './forward.ts';
import { help } from './help.ts';
import { holders } from './holders.ts';
import { ip } from './ip.ts';
import { log } from './log.ts';
import { lsmod } from './lsmod.ts';
import { mem } from './mem.ts';
import { modprobe } from './modprobe.ts';
import { ping } from './ping.ts';
import { quit } from './quit.ts';
import { radv } from './radv.ts';
import { replace } from './replace.ts';
import { rmmod } from './rmmod.ts';
import { stat } from './stat.ts';
import { sysctl } from './sysctl.ts';
import { top } from './top.ts';
import { traceroute } from './traceroute.ts';
import { udp } from './udp.ts';
import { use } from './use.ts';

/** All commands of the prompt, in the order in which `help` lists them. */
export const commands: readonly SessionCommand[] = Object.freeze([
  lsmod,
  modprobe,
  rmmod,
  abort,
  replace,
  holders,
  stat,
  mem,
  sysctl,
  log,
  top,
  ping,
  traceroute,
  udp,
  forward,
  ip,
  radv,
  ethtool,
  capture,
  use,
  help,
  quit,
]);
