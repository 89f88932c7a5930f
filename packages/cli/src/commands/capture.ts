import { NetError } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { CaptureFile } from '../capture/capture-file.ts';
import { completePath } from '../session/complete-path.ts';
import { expandHome } from '../session/expand-home.ts';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { optionNumber } from '../text/option-number.ts';
import { UsageError } from '../usage-error.ts';

const MIB = 1 << 20;

export const capture: SessionCommand = Object.freeze({
  name: 'capture',
  parameters: '[device] [file] [filter...]',
  options: [
    ['--snaplen <bytes>', 'keep so many bytes of each packet; default all'],
    ['--no-drops', 'leave out packets that the stack drops'],
    ['--rotate <MiB>', 'begin another file after so many; they are numbered'],
    ['--files <n>', 'with --rotate: no more files, the oldest is overwritten'],
    ['--ring <MiB>', 'keep the last so many in memory; `capture dump` and `capture stop` write them'],
  ],
  summary: "write a device's packets to a pcapng file, or live to Wireshark; `capture stop` ends it and says how many",
  details: [
    'Device `any` means all. Packets that are dropped stand there too, each with the reason as a comment.',
    'FILE may be a named pipe that somebody reads, or a program: "| wireshark -k -i -", with its quotes. A reader that is slow holds nothing up.',
    "FILTER is tcpdump's language, as far as: ip, ip6, arp, udp, tcp, icmp, icmp6, [src|dst] host A, net A/LEN, port N, ether host M, vlan [N], greater N, less N, and, or, not, ( ); and `dropped`.",
    'Without words it says what runs.',
    'capture eth0 /tmp/eth0.pcapng',
    'capture any "| wireshark -k -i -" udp port 53 or dropped',
    'capture --ring 8 any /tmp/last.pcapng',
    'capture stop',
  ],
  completes: (session, index, end) =>
    index === 0 ? ['stop', 'dump', 'any ', ...new NetHost(session.kernel).devices.map(({ name }) => `${name} `)] : completePath(end),
  run(session, given) {
    const [device, path, ...filter] = given.words;
    if (device === undefined && Object.keys(given.options).some((option) => option !== 'drops'))
      throw new UsageError('a device and a file are missing: capture [--ring MiB] DEVICE FILE [FILTER]');
    if (device === undefined) list(session);
    else if (device === 'stop' && path === undefined) stop(session);
    else if (device === 'dump' && path === undefined) dump(session);
    else if (path === undefined) throw new UsageError('a file is missing: capture DEVICE FILE, or capture stop');
    else start(session, given, device, expandHome(path), filter.join(' '));
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

function dump({ captures, kernel, output }: Session): void {
  const rings = captures.of(kernel).filter(({ hasRing }) => hasRing);
  if (rings.length === 0) throw new NetError('ENOENT', `no ring is kept in ${kernel.name}: capture --ring 8 DEVICE FILE begins one`);
  for (const file of rings) output.print(`wrote the last ${file.dump()} packets of ${file.what} to ${file.path}`);
}

function start({ captures, kernel, output }: Session, { options }: Given, name: string, path: string, filter: string): void {
  const device = name === 'any' ? null : new NetHost(kernel).device(name);
  const snapLenBytes = options.snaplen === undefined ? undefined : optionNumber('--snaplen', options.snaplen, 0, 1, 262_144);
  const rotateBytes = MIB * optionNumber('--rotate', options.rotate, 0, 1, 1_000_000);
  const files = optionNumber('--files', options.files, 0, 1, 100_000);
  const ringBytes = MIB * optionNumber('--ring', options.ring, 0, 1, 1024);
  refuseMixture(path, rotateBytes, files, ringBytes);
  const ended = (file: CaptureFile): void => {
    captures.forget(file);
    output.print(`the capture has ended: ${file.sentence}`);
  };
  const drops = options.drops !== false;
  const file = new CaptureFile(kernel, { device, path, filter, snapLenBytes, drops, rotateBytes, files, ringBytes, ended });
  captures.add(kernel, file);
  const into = ringBytes > 0 ? `in memory; 'capture dump' writes it to ${path}` : `into ${path}; 'capture stop' ends it`;
  output.print(`capturing ${file.what}${filter === '' ? '' : ` (${filter})`} ${into}`);
}

function refuseMixture(path: string, rotateBytes: number, files: number, ringBytes: number): void {
  const isFile = path !== '-' && !path.startsWith('|');
  if (files > 0 && rotateBytes === 0) throw new UsageError('--files goes with --rotate');
  if (rotateBytes > 0 && ringBytes > 0) throw new UsageError('--rotate or --ring: one of them');
  if (!isFile && rotateBytes + ringBytes > 0) throw new UsageError('--rotate and --ring want a file');
  if (path === '-') throw new UsageError('standard output is this terminal\'s: capture DEVICE "| wireshark -k -i -", or a named pipe');
  if (path.startsWith('|') && path.slice(1).trim() === '')
    throw new UsageError('a program is missing: capture DEVICE "| wireshark -k -i -"');
}
