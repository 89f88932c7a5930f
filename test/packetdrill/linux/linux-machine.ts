import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RIG = resolve(ROOT, process.env.SOFTNET_LINUX_PEER ?? '../shared/linux-peer', 'peer.mjs');
const PROGRAM = fileURLToPath(new URL('tun-host.py', import.meta.url));

/** A Linux that scripts run on. */
export interface LinuxMachine {
  /** What runs a shell command there, with its input and output. */
  command(text: string): [file: string, args: string[]];
  /** Where the program that makes calls lies. */
  readonly program: string;
  /** Programs and processes are late by so much there. */
  readonly toleranceUs: number;
}

/** This machine. */
export const THIS_MACHINE: LinuxMachine = Object.freeze({
  command: (text: string): [string, string[]] => ['sh', ['-c', text]],
  program: PROGRAM,
  toleranceUs: 30_000,
});

/** A guest of linux-peer that runs, has Python and the program in its root folder. */
export function guestMachine(name: string): LinuxMachine {
  const command = (text: string): [string, string[]] => [process.execPath, [RIG, 'exec', '-i', '--name', name, text]];
  return { command, program: '/tun-host.py', toleranceUs: 90_000 };
}
