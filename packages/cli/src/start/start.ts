import { parsePrefix } from '@softnet/wire';
import { CaptureFile } from '../capture/capture-file.ts';
import type { Terminal } from '../main.ts';
import { expandHome } from '../session/expand-home.ts';
import type { Output } from '../session/output.ts';
import { PlainOutput } from '../session/plain-output.ts';
import { UsageError } from '../usage-error.ts';
import type { OuterDevice } from './device-scene.ts';
import { bootDevice } from './device-scene.ts';
import { bootNetwork } from './network-scene.ts';
import { runPrompt } from './prompt.ts';
import { report } from './report.ts';
import type { Scene } from './scene.ts';
import { serve } from './serve.ts';

/** Options of `softnet start`. */
export interface StartOptions {
  /** Errors with their stacks; kernels that keep the stack of every hold. */
  readonly debug: boolean;
  readonly seed: number;
  /** Linux's end of a TAP; undefined: none. */
  readonly tap?: string;
  /** QEMU's socket. */
  readonly qemu?: string;
  /** Where packets of the first kernel go from the beginning, as pcapng; '-': standard output, and what is said goes to standard error. */
  readonly capture?: string;
  /** The loopback port that leads to the web server inside; undefined: the usual one, or any. */
  readonly web?: number;
  /** Of our end. None: {@link USUAL_ADDRESSES}. */
  readonly address?: readonly string[];
}

const USUAL_ADDRESSES = Object.freeze(['10.77.0.2/24', 'fd77::2/64']);

/** The main job: a network in this process, or one kernel at a device; at a terminal with a prompt. Returns the exit code. */
export async function start(options: StartOptions, terminal: Terminal): Promise<number> {
  const { debug, seed } = options;
  const { stdin, stdout, stderr } = terminal;
  const device = deviceOf(options);
  const addresses = addressesOf(options, device);
  const person = stdin.isTTY === true && stdout.isTTY === true;
  const { capture } = options;
  if (capture === '-' && stdout.isTTY === true)
    throw new UsageError('--capture - wants a pipe: softnet start --capture - | wireshark -k -i -');
  const scene =
    device === undefined
      ? await bootNetwork({ clock: 'real', seed, debug, webPort: options.web ?? null })
      : await bootDevice({ device, addresses, seed, debug });
  const output = new PlainOutput((text) => (capture === '-' ? stderr : stdout).write(text));
  const file = capture === undefined ? undefined : captureFromTheStart(scene, capture, output);
  const code = person
    ? await runPrompt(scene, terminal, debug)
    : device === undefined
      ? await report(scene, output, debug)
      : await serve(scene, output, debug);
  file?.stop();
  return code;
}

/** @throws UsageError */
function deviceOf({ tap, qemu }: StartOptions): OuterDevice | undefined {
  if (tap !== undefined && qemu !== undefined) throw new UsageError('--tap or --qemu: one of them');
  if (tap !== undefined) return { kind: 'tap', ifname: tap };
  return qemu === undefined ? undefined : { kind: 'qemu', path: qemu };
}

/** @throws UsageError */
function addressesOf({ address = [] }: StartOptions, device: OuterDevice | undefined): readonly string[] {
  if (address.length > 0 && device === undefined) throw new UsageError('--address goes with --tap or --qemu');
  for (const text of address) {
    if (parsePrefix(text) === null || !text.includes('/'))
      throw new UsageError(`--address takes an address with its prefix, 10.77.0.2/24 or fd77::2/64, got '${text}'`);
  }
  return address.length > 0 ? address : USUAL_ADDRESSES;
}

function captureFromTheStart({ kernels }: Scene, path: string, output: Output): CaptureFile {
  const ended = ({ sentence }: CaptureFile): void => output.print(`the capture has ended: ${sentence}`);
  const all = { device: null, filter: '', snapLenBytes: undefined, drops: true, rotateBytes: 0, files: 0, ringBytes: 0 };
  return new CaptureFile(kernels[0]!, { ...all, path: expandHome(path), ended });
}
