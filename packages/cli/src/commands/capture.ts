import { NetError } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { CaptureFile } from '../capture/capture-file.ts';
import { completePath } from '../session/complete-path.ts';
import { expandHome } from '../session/expand-home.ts';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { optionNumber } from '../text/option-number.ts';
import { UsageError } from '../usage-error.ts';

export const capture: SessionCommand = Object.freeze({
  name: 'capture',
  parameters: '[device] [file]',
  options: [
    ['--snaplen <bytes>', 'keep so many bytes of each packet; default all'],
    ['--no-drops', 'leave out packets that the stack drops'],
  ],
  summary: "write a device's packets to a pcapng file, for Wireshark; `capture stop` ends it and says how many",
  details: [
    'Device `any` means all. Packets that are dropped stand there too, each with the reason as a comment.',
    'Without words it says what runs.',
    'capture eth0 /tmp/eth0.pcapng',
    'capture stop',
  ],
  completes: (session, index, end) =>
    index === 0 ? ['stop', 'any ', ...new NetHost(session.kernel).devices.map(({ name }) => `${name} `)] : completePath(end),
  run(session, given) {
    const [device, path] = given.words;
    if (device === undefined) list(session);
    else if (device === 'stop' && path === undefined) stop(session);
    else if (path === undefined) throw new UsageError('a file is missing: capture DEVICE FILE, or capture stop');
    else start(session, given, device, expandHome(path));
  },
} satisfies SessionCommand);

function list({ captures, kernel, output }: Session): void {
  const own = captures.of(kernel);
  for (const file of own) output.print(`capturing: ${file.sentence}`);
  if (own.length === 0) output.print(`nothing is captured in ${kernel.name}`);
}

function stop({ captures, kernel, output }: Session): void {
  const stopped = captures.stop(kernel);
  if (stopped.length === 0) throw new NetError('ENOENT', `nothing is captured in ${kernel.name}: capture DEVICE FILE begins it`);
  for (const file of stopped) output.print(`captured ${file.sentence}`);
}

function start({ captures, kernel, output }: Session, { options }: Given, name: string, path: string): void {
  const device = name === 'any' ? null : new NetHost(kernel).device(name);
  const snapLenBytes = options.snaplen === undefined ? undefined : optionNumber('--snaplen', options.snaplen, 0, 1, 262_144);
  const ended = (file: CaptureFile): void => {
    captures.forget(file);
    output.print(`the capture has ended: ${file.sentence}`);
  };
  const file = new CaptureFile(kernel, { device, path, snapLenBytes, drops: options.drops !== false, ended });
  captures.add(kernel, file);
  output.print(`capturing ${file.what} into ${path}; 'capture stop' ends it`);
}
